#include "os/fd.hpp"

#include <unistd.h>

namespace penstock::os {

void close_descriptor(int descriptor) noexcept {
  ::close(descriptor);
}

}  // namespace penstock::os
