#pragma once
// receive_buffer and send_buffer that the kernel will not grant whole.
//
// Thread   any; asks the system by a socket of its own.

#include <string>
#include <vector>

#include "runtime/options.hpp"

namespace penstock::budget {

// A sentence for each size that is cut, however many listeners ask for it.
std::vector<std::string> buffers_that_are_cut(const std::vector<runtime::ListenerSpec>& listeners);

}  // namespace penstock::budget
