#pragma once
// A line on standard error that a signal handler may write. What it may do is little
// (signal-safety(7)): no allocation, no stdio, no locale.
//
// Thread   any, inside a handler or not. Limits: 512 bytes; the rest is cut.

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace penstock::os {

class LastWords {
 public:
  LastWords& operator<<(std::string_view text) noexcept {
    const std::size_t taken = std::min(text.size(), bytes_.size() - size_);
    std::copy_n(text.data(), taken, bytes_.data() + size_);
    size_ += taken;
    return *this;
  }
  LastWords& number(std::uint64_t value, unsigned base = 10) noexcept {
    std::array<char, 20> digits;
    auto at = digits.end();
    do {
      *--at = "0123456789abcdef"[value % base];
      value /= base;
    } while (value != 0);
    return *this << std::string_view{at, digits.end()};
  }
  // A stderr that nobody reads must not keep the process: where poll() says that there is room in a
  // pipe, it is PIPE_BUF bytes at least.
  void write_out() const noexcept {
    pollfd target{.fd = 2, .events = POLLOUT, .revents = 0};
    if (::poll(&target, 1, 0) <= 0) return;
    [[maybe_unused]] const ssize_t written = ::write(2, bytes_.data(), size_);
  }

 private:
  std::array<char, 512> bytes_;
  std::size_t size_ = 0;
};

}  // namespace penstock::os
