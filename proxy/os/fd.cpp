#include "os/fd.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace penstock::os {

void close_descriptor(int descriptor) noexcept {
  ::close(descriptor);
}

void close_on_exec(int descriptor) noexcept {
  ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

}  // namespace penstock::os
