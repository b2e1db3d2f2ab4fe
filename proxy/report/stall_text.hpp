#pragma once
// A stalled connection as a sentence for the log, with its last events. Pure.
//
//   connection 42 of listener web stalled: nothing moved to the upstream for 6.1 s, though bytes
//   wait and there is room; it goes on now. Last events: -6.100 s client ready (in, out); ...

#include <string>

#include "session/stall.hpp"

namespace penstock::report {

std::string stall_text(const session::Stall& stall, const std::string& listener);

}  // namespace penstock::report
