#pragma once
// The system calls of the threads that belong to control, once they run; see os/sandbox_calls.

#include "os/sandbox.hpp"

namespace penstock::control {

os::CallRules control_calls();
// Of the thread that reads files of endpoints.
os::CallRules reader_calls();
// Of a thread that writes lines, to a file that may be opened again or to a standard stream.
os::CallRules log_calls(bool to_file);

}  // namespace penstock::control
