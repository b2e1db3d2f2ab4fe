// The part of the simulated kernel that is a ring: what was asked for is answered in the wait.

#include <algorithm>
#include <cerrno>

#include "simulation/kernel.hpp"
#include "simulation/outside.hpp"

namespace penstock::simulation {

// So few that they run out.
constexpr std::size_t ring_buffers = 4;

bool Kernel::make_ring() {
  enter();
  if (fails()) return false;
  buffers_.resize(ring_buffers * base::ring_buffer_bytes);
  for (std::size_t i = 0; i < ring_buffers; ++i)
    free_buffers_.push_back(static_cast<std::uint16_t>(i));
  return true;
}

void Kernel::ask(int descriptor, Socket::Asked what) noexcept {
  ++progress_;
  Socket& from = socket(descriptor);
  if (from.asked_of_ring != Socket::Asked::nothing)
    violated("the ring is asked once at a time", from.connection, "it was asked before");
  from.asked_of_ring = what;
  from.cancelled = false;
}

void Kernel::cancel(int descriptor) noexcept {
  socket(descriptor).cancelled = true;
}

void Kernel::nobody_else_reads(const Socket& socket) const noexcept {
  if (socket.asked_of_ring == Socket::Asked::bytes)
    violated("nobody reads by call while the ring reads", socket.connection, "a call came between");
}

std::span<const std::byte> Kernel::buffer(std::uint16_t index) const noexcept {
  return std::span{buffers_}.subspan(index * base::ring_buffer_bytes, base::ring_buffer_bytes);
}

void Kernel::give_back(std::uint16_t index) noexcept {
  if (std::find(free_buffers_.begin(), free_buffers_.end(), index) != free_buffers_.end())
    violated("a buffer is given back once", -1, std::to_string(index) + " was given back before");
  free_buffers_.push_back(index);
  // Whoever still looks at it sees that it is not its own any more.
  const auto begin =
      buffers_.begin() + static_cast<std::ptrdiff_t>(index * base::ring_buffer_bytes);
  std::fill(begin, begin + base::ring_buffer_bytes, std::byte{0xee});
}

// On a ring a descriptor is closed when the kernel hears of it: its number is taken until then.
void Kernel::close_in_order(int descriptor) {
  if (buffers_.empty()) return close(descriptor);
  Socket& closing = socket(descriptor);
  closing.asked_of_ring = Socket::Asked::nothing;
  closing.registered = false;
  closing.on_ready_list = false;
  to_close_.push_back(descriptor);
}

void Kernel::close_what_was_asked() noexcept {
  for (const int descriptor : to_close_) close(descriptor);
  to_close_.clear();
}

std::size_t Kernel::answer_asked(std::span<os::Event> events) noexcept {
  if (buffers_.empty()) return 0;
  std::size_t count = 0;
  // In turn, as the queue of a ring has it: who is ready at every wait must not keep others from
  // it.
  for (std::size_t i = 0; i < table_.size() && count < events.size(); ++i) {
    next_answer_ = (next_answer_ + 1) % table_.size();
    const auto asked = table_[next_answer_].socket;
    if (asked == nullptr || asked->asked_of_ring == Socket::Asked::nothing) continue;
    if (answer(*asked, events[count])) ++count;
  }
  return count;
}

// False where it waits on.
bool Kernel::answer(Socket& socket, os::Event& event) noexcept {
  const bool over = socket.fin_received || socket.state == Socket::State::dead || socket.error != 0;
  if (socket.unread() == 0 && !over && !socket.cancelled) return false;
  const Socket::Asked asked = std::exchange(socket.asked_of_ring, Socket::Asked::nothing);
  event = {.token = socket.token, .ready = {}};
  event.receive_ended = event.ready.readable = true;
  socket.announced = socket.arrived;
  if (asked == Socket::Asked::readiness || free_buffers_.empty()) return true;
  const std::uint16_t index = free_buffers_.front();
  const auto memory =
      std::span{buffers_}.subspan(index * base::ring_buffer_bytes, base::ring_buffer_bytes);
  const os::IoResult result = receive(socket.descriptor, memory);
  if (result.status == os::IoStatus::failed) event.error = static_cast<std::int16_t>(result.error);
  if (result.status != os::IoStatus::moved) return true;
  free_buffers_.pop_front();
  event.buffer = index;
  event.bytes = static_cast<std::uint16_t>(result.bytes);
  return true;
}

}  // namespace penstock::simulation
