#pragma once
// How a session closes its sockets. A value; any thread. RST is never disguised as FIN:
// docs/RELAY.md, "Aborts".

#include <cstdint>

namespace penstock::session {

enum class Ending : std::uint8_t { fin, reset };

}  // namespace penstock::session
