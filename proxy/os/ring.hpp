#pragma once
// io_uring as the loop of a forwarder: readiness by multishot polls, small receives by the ring.
//
//   asked for                 answered by
//   ------------------------- -------------------------------------------------------------------
//   add()                     an event at each edge, by one multishot poll per socket
//   receive()                 one event with bytes in a buffer of the ring; or a call tells why
//   await_readable()          one event
//
// What is asked for is only noted; the next wait() tells the kernel all of it, in one call, in the
// order in which it was asked. What is received is received within wait() and at no other time
// (IORING_SETUP_DEFER_TASKRUN), so the caller's own calls on a socket cannot come between.
//
// What the kernel does (tests/kernel/ring_test.cpp):
//   - A request holds its socket: close(2) alone would end nothing. close() here takes the requests
//     back first, and is itself asked for in order, so that the number is not used again by another
//     socket while an older request still names it.
//   - splice on a ring always runs in a worker thread: it is not done here.
//
// Owner    os::Poller. Thread: the one that created it, and no other (IORING_SETUP_SINGLE_ISSUER).
// Limits   base::ring_buffers buffers of base::ring_buffer_bytes; when all are out, a receive()
//          ends without bytes. 2^24 generations before a descriptor's old answers could be
//          mistaken.
// Errors   create(): EPERM (seccomp, kernel.io_uring_disabled), ENOSYS, EINVAL (before Linux 6.1).
// Source   io_uring_setup(2), io_uring_enter(2), io_uring_register(2).

#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

struct io_uring_sqe;
struct io_uring_cqe;

namespace penstock::os {

struct Event;

class Ring {
 public:
  // `wake` is an eventfd that ends a wait. `memory`: of the buffers.
  static base::Result<std::unique_ptr<Ring>> create(int wake, std::pmr::memory_resource& memory);
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring();

  // Errors: ENOMEM.
  base::ErrorCode add(int descriptor, std::uint64_t token, bool announce_reads) noexcept;
  void close(int descriptor) noexcept;

  // REQUIRES: neither is under way for this descriptor.
  void receive(int descriptor) noexcept;
  void await_readable(int descriptor) noexcept;
  // The one that is under way ends soon: by what had come, or by nothing.
  void cancel(int descriptor) noexcept;

  std::span<const std::byte> buffer(std::uint16_t index) const noexcept;
  void give_back(std::uint16_t index) noexcept;

  // As Poller::wait(), into `events`; answers how many.
  std::size_t wait(base::Duration timeout, std::span<Event> events) noexcept;

 private:
  enum class Kind : std::uint8_t { poll, receive, readable, wake, nothing };
  struct Registration {
    std::uint64_t token = 0;
    std::uint32_t generation = 0;
    Kind asked = Kind::nothing;  // receive or readable, while one is under way
    bool registered = false;
    bool announce_reads = false;
  };
  struct Native;  // the library's types

  Ring(int wake, std::pmr::memory_resource& memory);
  base::ErrorCode set_up();
  io_uring_sqe* next_request() noexcept;
  std::uint64_t name_of(Kind kind, int descriptor) const noexcept;
  void poll(int descriptor, Kind kind) noexcept;
  void take_back(Kind kind, int descriptor) noexcept;
  void finish_due_work(std::size_t answers_wanted) noexcept;
  void lend_more() noexcept;
  bool translate(const io_uring_cqe& answer, Event& event) noexcept;
  bool translate_poll(const io_uring_cqe& answer, int descriptor, Event& event) noexcept;
  void translate_receive(const io_uring_cqe& answer, Event& event) noexcept;

  const int wake_;
  std::pmr::memory_resource& memory_;
  std::unique_ptr<Native> native_;
  std::vector<Registration> registrations_;  // by descriptor
  std::byte* buffers_ = nullptr;
  std::uint16_t lent_ = 0;  // buffers that the kernel has seen
};

}  // namespace penstock::os
