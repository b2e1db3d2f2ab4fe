#pragma once
// The reason of a connection one of whose sockets failed. Pure.

#include "session/close_reason.hpp"

namespace penstock::session {

// `error` is the errno; `side` 0 the client, 1 the upstream.
CloseReason reason_of_failure(unsigned side, int error) noexcept;

}  // namespace penstock::session
