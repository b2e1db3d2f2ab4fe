#include "os/wakeup.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <boost/system/system_error.hpp>
#include <cerrno>
#include <cstdint>

namespace penstock::os {

Wakeup::Wakeup() : event_{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)} {
  if (!event_) throw boost::system::system_error{base::error_from(errno), "eventfd"};
}

void Wakeup::notify() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(event_.get(), &one, sizeof one);
}

void Wakeup::clear() noexcept {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t taken = ::read(event_.get(), &count, sizeof count);
}

}  // namespace penstock::os
