#include "control/control_calls.hpp"

#include "os/sandbox_calls.hpp"

namespace penstock::control {

namespace calls = os::calls;

os::CallRules control_calls() {
  return calls::thread() + calls::loop() + calls::connect() + calls::read_files() +
         calls::resolve_names() + calls::control();
}

os::CallRules reader_calls() {
  return calls::thread() + calls::read_file() + calls::number_interfaces() + calls::wake_loop();
}

os::CallRules log_calls(bool to_file) {
  return calls::thread() + calls::write_lines() +
         (to_file ? calls::append_files() : os::CallRules{});
}

}  // namespace penstock::control
