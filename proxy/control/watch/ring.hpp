#pragma once
// Did the forwarders get the io_uring that the configuration asks for? Looked at once a second,
// until all of them have tried; said once.
//
// Pure but for its memory: what it looks at is handed in. Thread: control.

#include <optional>
#include <string>
#include <vector>

#include "runtime/views.hpp"

namespace penstock::control {

class RingWatch {
 public:
  std::optional<std::string> look_at(const std::vector<runtime::ForwarderView>& forwarders);

 private:
  bool told_ = false;
};

}  // namespace penstock::control
