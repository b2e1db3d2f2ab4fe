#include "os/ring.hpp"

#include <liburing.h>
#include <poll.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "os/fd.hpp"
#include "os/poller.hpp"
#include "os/readiness.hpp"

namespace penstock::os {

namespace {

constexpr unsigned requests_per_call = 1024;
constexpr unsigned answers_max = 8192;
constexpr int buffer_group = 0;
constexpr std::uint16_t lend_at_once = 64;  // few buffers, used again and again, stay in the cache
constexpr std::size_t page = 4096;
constexpr std::size_t buffers_bytes = base::ring_buffers * base::ring_buffer_bytes;
constexpr std::size_t board_bytes = base::ring_buffers * sizeof(io_uring_buf);

static_assert((base::ring_buffers & (base::ring_buffers - 1)) == 0, "the kernel masks indices");
static_assert(base::ring_buffer_bytes <= 0xffff, "Event::bytes has 16 bits");

constexpr unsigned generation_mask = 0xff'ffff;

// The receive failed, not the socket: a call may still read.
bool is_of_the_call(int error) noexcept {
  return error == ECANCELED || error == EAGAIN || error == EINTR || error == ENOMEM;
}

bool work_is_due(const io_uring& ring) noexcept {
  return (IO_URING_READ_ONCE(*ring.sq.kflags) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
}

}  // namespace

struct Ring::Native {
  io_uring ring{};
  io_uring_buf_ring* board = nullptr;  // on which buffers are offered to the kernel
  bool is_set_up = false;
};

Ring::Ring(int wake, std::pmr::memory_resource& memory)
    : wake_{wake}, memory_{memory}, native_{std::make_unique<Native>()} {}

base::Result<std::unique_ptr<Ring>> Ring::create(int wake, std::pmr::memory_resource& memory) {
  std::unique_ptr<Ring> ring{new Ring{wake, memory}};
  if (const auto error = ring->set_up()) return error;
  return ring;
}

base::ErrorCode Ring::set_up() {
  io_uring_params params{};
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                 IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_CQSIZE;
  params.cq_entries = answers_max;
  if (const int made = ::io_uring_queue_init_params(requests_per_call, &native_->ring, &params);
      made < 0)
    return base::error_from(-made);
  native_->is_set_up = true;
  buffers_ = static_cast<std::byte*>(memory_.allocate(buffers_bytes, page));
  native_->board = static_cast<io_uring_buf_ring*>(memory_.allocate(board_bytes, page));
  io_uring_buf_reg board{};
  board.ring_addr = reinterpret_cast<std::uintptr_t>(native_->board);
  board.ring_entries = base::ring_buffers;
  board.bgid = buffer_group;
  if (const int done = ::io_uring_register_buf_ring(&native_->ring, &board, 0); done < 0)
    return base::error_from(-done);
  ::io_uring_buf_ring_init(native_->board);
  lend_more();
  poll(wake_, Kind::wake);
  return {};
}

Ring::~Ring() {
  if (native_->is_set_up) ::io_uring_queue_exit(&native_->ring);
  if (native_->board != nullptr) memory_.deallocate(native_->board, board_bytes, page);
  if (buffers_ != nullptr) memory_.deallocate(buffers_, buffers_bytes, page);
}

void Ring::lend_more() noexcept {
  const auto end =
      static_cast<std::uint16_t>(std::min<std::size_t>(lent_ + lend_at_once, base::ring_buffers));
  while (lent_ < end) give_back(lent_++);
}

std::span<const std::byte> Ring::buffer(std::uint16_t index) const noexcept {
  return {buffers_ + index * base::ring_buffer_bytes, base::ring_buffer_bytes};
}

void Ring::give_back(std::uint16_t index) noexcept {
  ::io_uring_buf_ring_add(native_->board, buffers_ + index * base::ring_buffer_bytes,
                          static_cast<unsigned>(base::ring_buffer_bytes), index,
                          ::io_uring_buf_ring_mask(base::ring_buffers), 0);
  ::io_uring_buf_ring_advance(native_->board, 1);
}

// 24 bits of generation, 8 of kind, 32 of descriptor.
std::uint64_t Ring::name_of(Kind kind, int descriptor) const noexcept {
  const std::uint64_t generation =
      kind == Kind::wake ? 0 : registrations_[static_cast<std::size_t>(descriptor)].generation;
  return generation << 40 | static_cast<std::uint64_t>(kind) << 32 |
         static_cast<std::uint32_t>(descriptor);
}

io_uring_sqe* Ring::next_request() noexcept {
  io_uring_sqe* request = ::io_uring_get_sqe(&native_->ring);
  // What was asked for so far fills the queue: tell the kernel.
  while (request == nullptr) {
    const int told = ::io_uring_submit(&native_->ring);
    PENSTOCK_ASSERT(told >= 0 || told == -EINTR || told == -EAGAIN || told == -EBUSY);
    request = ::io_uring_get_sqe(&native_->ring);
  }
  return request;
}

void Ring::poll(int descriptor, Kind kind) noexcept {
  unsigned events = POLLIN;
  if (kind == Kind::poll) {
    const bool reads = registrations_[static_cast<std::size_t>(descriptor)].announce_reads;
    events = reads ? POLLIN | POLLOUT | POLLRDHUP | POLLPRI : POLLOUT | POLLRDHUP;
  }
  io_uring_sqe* const request = next_request();
  if (kind == Kind::readable)
    ::io_uring_prep_poll_add(request, descriptor, events);
  else
    ::io_uring_prep_poll_multishot(request, descriptor, events);
  ::io_uring_sqe_set_data64(request, name_of(kind, descriptor));
}

base::ErrorCode Ring::add(int descriptor, std::uint64_t token, bool announce_reads) noexcept {
  const auto index = static_cast<std::size_t>(descriptor);
  try {
    if (registrations_.size() <= index) registrations_.resize(index + index / 2 + 64);
  } catch (const std::bad_alloc&) {
    return base::error_from(ENOMEM);
  }
  Registration& registration = registrations_[index];
  PENSTOCK_ASSERT(!registration.registered);
  registration.token = token;
  registration.registered = true;
  registration.announce_reads = announce_reads;
  poll(descriptor, Kind::poll);
  return {};
}

void Ring::receive(int descriptor) noexcept {
  Registration& registration = registrations_[static_cast<std::size_t>(descriptor)];
  PENSTOCK_ASSERT(registration.registered && registration.asked == Kind::nothing);
  registration.asked = Kind::receive;
  io_uring_sqe* const request = next_request();
  ::io_uring_prep_recv(request, descriptor, nullptr, 0, 0);
  // Whoever asks has just read what there was.
  request->ioprio = IORING_RECVSEND_POLL_FIRST;
  request->flags |= IOSQE_BUFFER_SELECT;
  request->buf_group = buffer_group;
  ::io_uring_sqe_set_data64(request, name_of(Kind::receive, descriptor));
}

void Ring::await_readable(int descriptor) noexcept {
  Registration& registration = registrations_[static_cast<std::size_t>(descriptor)];
  PENSTOCK_ASSERT(registration.registered && registration.asked == Kind::nothing);
  registration.asked = Kind::readable;
  poll(descriptor, Kind::readable);
}

void Ring::take_back(Kind kind, int descriptor) noexcept {
  io_uring_sqe* const request = next_request();
  ::io_uring_prep_cancel64(request, name_of(kind, descriptor), 0);
  ::io_uring_sqe_set_data64(request, name_of(Kind::nothing, descriptor));
  request->flags |= IOSQE_CQE_SKIP_SUCCESS;
}

void Ring::cancel(int descriptor) noexcept {
  const Registration& registration = registrations_[static_cast<std::size_t>(descriptor)];
  if (registration.asked != Kind::nothing) take_back(registration.asked, descriptor);
}

void Ring::close(int descriptor) noexcept {
  const auto index = static_cast<std::size_t>(descriptor);
  if (index >= registrations_.size() || !registrations_[index].registered) {
    close_descriptor(descriptor);
    return;
  }
  cancel(descriptor);
  take_back(Kind::poll, descriptor);
  io_uring_sqe* const request = next_request();
  ::io_uring_prep_close(request, descriptor);
  ::io_uring_sqe_set_data64(request, name_of(Kind::nothing, descriptor));
  request->flags |= IOSQE_CQE_SKIP_SUCCESS;
  Registration& registration = registrations_[index];
  registration = {.token = 0,
                  .generation = (registration.generation + 1) & generation_mask,
                  .asked = Kind::nothing,
                  .registered = false,
                  .announce_reads = false};
}

// One call runs only some twenty of the completions that are due, and a stop of the process ends
// the wait before any (signal(7)). All must be told now, or timers would come before them. The
// kernel may leave its mark although nothing is due any more: then a call brings nothing.
void Ring::finish_due_work(std::size_t answers_wanted) noexcept {
  io_uring* const ring = &native_->ring;
  unsigned before = 0;
  do {
    before = ::io_uring_cq_ready(ring);
    if (before >= answers_wanted || !work_is_due(*ring)) return;
    ::io_uring_get_events(ring);
  } while (::io_uring_cq_ready(ring) > before);
}

std::size_t Ring::wait(base::Duration timeout, std::span<Event> events) noexcept {
  io_uring* const ring = &native_->ring;
  if (timeout <= base::Duration{0} || ::io_uring_cq_ready(ring) > 0) {
    ::io_uring_submit_and_get_events(ring);
  } else if (timeout == base::Duration::max()) {
    ::io_uring_submit_and_wait(ring, 1);
  } else {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
    __kernel_timespec limit{.tv_sec = seconds.count(), .tv_nsec = (timeout - seconds).count()};
    io_uring_cqe* first = nullptr;
    ::io_uring_submit_and_wait_timeout(ring, &first, 1, &limit, nullptr);
  }
  finish_due_work(events.size());
  std::size_t count = 0;
  unsigned seen = 0;
  unsigned head = 0;
  io_uring_cqe* answer = nullptr;
  io_uring_for_each_cqe(ring, head, answer) {
    if (count == events.size()) break;
    ++seen;
    if (translate(*answer, events[count])) ++count;
  }
  ::io_uring_cq_advance(ring, seen);
  return count;
}

// False where nobody need hear of it.
bool Ring::translate(const io_uring_cqe& answer, Event& event) noexcept {
  const auto descriptor = static_cast<int>(answer.user_data & 0xffff'ffff);
  const auto kind = static_cast<Kind>(answer.user_data >> 32 & 0xff);
  if (kind == Kind::nothing) return false;
  if (kind == Kind::wake) {
    if ((answer.flags & IORING_CQE_F_MORE) == 0) poll(wake_, Kind::wake);
    return false;
  }
  Registration& registration = registrations_[static_cast<std::size_t>(descriptor)];
  if (registration.generation != answer.user_data >> 40) {
    // It is closed; what came for it is nobody's.
    if ((answer.flags & IORING_CQE_F_BUFFER) != 0)
      give_back(static_cast<std::uint16_t>(answer.flags >> IORING_CQE_BUFFER_SHIFT));
    return false;
  }
  event = {.token = registration.token, .ready = {}};
  if (kind == Kind::poll) return translate_poll(answer, descriptor, event);
  registration.asked = Kind::nothing;
  event.receive_ended = true;
  event.ready.readable = true;
  if (kind == Kind::receive) translate_receive(answer, event);
  return true;
}

bool Ring::translate_poll(const io_uring_cqe& answer, int descriptor, Event& event) noexcept {
  // The kernel ends a multishot poll where it had no room for an answer.
  if ((answer.flags & IORING_CQE_F_MORE) == 0) poll(descriptor, Kind::poll);
  if (answer.res < 0) return false;
  event.ready = readiness_from(static_cast<unsigned>(answer.res));
  return true;
}

void Ring::translate_receive(const io_uring_cqe& answer, Event& event) noexcept {
  if (answer.res == -ENOBUFS)
    lend_more();
  else if (answer.res < 0 && !is_of_the_call(-answer.res))
    event.error = static_cast<std::int16_t>(-answer.res);
  if ((answer.flags & IORING_CQE_F_BUFFER) == 0) return;
  event.buffer = static_cast<std::uint16_t>(answer.flags >> IORING_CQE_BUFFER_SHIFT);
  if (answer.res > 0)
    event.bytes = static_cast<std::uint16_t>(answer.res);
  else
    give_back(event.buffer);
}

}  // namespace penstock::os
