#include "os/poller.hpp"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <tuple>
#include <utility>

#include "base/assert.hpp"
#include "os/readiness.hpp"

namespace penstock::os {

namespace {

constexpr unsigned watched = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET;

// Rounded up: waking a hair too early would only spin.
int to_milliseconds(base::Duration timeout) noexcept {
  if (timeout == base::Duration::max()) return -1;
  const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
  return static_cast<int>(std::clamp<std::int64_t>(rounded, 0, 3'600'000));
}

}  // namespace

static_assert(POLLIN == EPOLLIN && POLLOUT == EPOLLOUT && POLLPRI == EPOLLPRI &&
              POLLRDHUP == EPOLLRDHUP && POLLHUP == EPOLLHUP && POLLERR == EPOLLERR);

std::array<Readiness, 2> ready_now(std::array<int, 2> sockets) noexcept {
  constexpr short asked = POLLIN | POLLOUT | POLLRDHUP | POLLPRI;
  std::array<pollfd, 2> looked{{{.fd = sockets[0], .events = asked, .revents = 0},
                                {.fd = sockets[1], .events = asked, .revents = 0}}};
  // With a timeout of 0 it never waits, and so is never interrupted.
  if (::poll(looked.data(), looked.size(), 0) < 0) return {};
  return {readiness_from(static_cast<unsigned>(looked[0].revents)),
          readiness_from(static_cast<unsigned>(looked[1].revents))};
}

base::Result<Poller> Poller::create() {
  Poller poller;
  poller.epoll_ = Fd{::epoll_create1(EPOLL_CLOEXEC)};
  if (!poller.epoll_) return base::error_from(errno);
  poller.wake_ = Fd{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  if (!poller.wake_) return base::error_from(errno);
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.u64 = wake_token}};
  if (::epoll_ctl(poller.epoll_.get(), EPOLL_CTL_ADD, poller.wake_.get(), &event) != 0)
    return base::error_from(errno);
  return poller;
}

base::ErrorCode Poller::use_ring(std::pmr::memory_resource& memory) noexcept {
  try {
    auto ring = Ring::create(wake_.get(), memory);
    if (!ring) return ring.error();
    ring_ = std::move(*ring);
    return {};
  } catch (const std::bad_alloc&) {
    return base::error_from(ENOMEM);
  }
}

base::ErrorCode Poller::add(int descriptor, std::uint64_t token, Reads reads) noexcept {
  if (ring_) return ring_->add(descriptor, token, reads == Reads::announced);
  epoll_event event{.events = watched, .data = {.u64 = token}};
  const int added = ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event);
  return added == 0 ? base::ErrorCode{} : base::error_from(errno);
}

void Poller::close(int descriptor) noexcept {
  if (ring_)
    ring_->close(descriptor);
  else
    close_descriptor(descriptor);  // with it goes the registration: epoll(7)
}

void Poller::receive(int descriptor) noexcept {
  ring_->receive(descriptor);
}

void Poller::await_readable(int descriptor) noexcept {
  ring_->await_readable(descriptor);
}

void Poller::cancel(int descriptor) noexcept {
  ring_->cancel(descriptor);
}

std::span<const std::byte> Poller::buffer(std::uint16_t index) const noexcept {
  return ring_->buffer(index);
}

void Poller::give_back(std::uint16_t index) noexcept {
  ring_->give_back(index);
}

std::span<const Event> Poller::wait(base::Duration timeout) noexcept {
  if (ring_) return {events_.data(), ring_->wait(timeout, events_)};
  std::array<epoll_event, std::tuple_size_v<decltype(events_)>> raw;
  int count = ::epoll_wait(epoll_.get(), raw.data(), static_cast<int>(raw.size()),
                           to_milliseconds(timeout));
  // A stop of the process ends the wait (signal(7)), and its length is unknown. What came meanwhile
  // must be told now, or timers would come before it.
  while (count < 0) {
    PENSTOCK_ASSERT(errno == EINTR);
    count = ::epoll_wait(epoll_.get(), raw.data(), static_cast<int>(raw.size()), 0);
  }
  std::size_t kept = 0;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = raw[static_cast<std::size_t>(i)];
    // The eventfd is edge-triggered: each write is a new edge, so it need not be read.
    if (event.data.u64 == wake_token) continue;
    events_[kept++] = {.token = event.data.u64, .ready = readiness_from(event.events)};
  }
  return {events_.data(), kept};
}

void Poller::wake() noexcept {
  const std::uint64_t one = 1;
  // Cannot fail but when 2^64 - 2 wake-ups were never read; then the edge is pending anyhow.
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

}  // namespace penstock::os
