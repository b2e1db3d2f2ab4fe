#include "simulation/kernel.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "base/assert.hpp"
#include "simulation/outside.hpp"

namespace penstock::simulation {

using os::IoResult;
using os::IoStatus;

namespace {
constexpr std::uint32_t fragment_bytes_max = 64 * 1024;
}

void Kernel::trace(const char* what, int number, std::int64_t result) noexcept {
  if (trace_) std::fprintf(stderr, "%s %d = %lld\n", what, number, static_cast<long long>(result));
}

void Kernel::enter() noexcept {
  ++steps_;
  if (conditions_.calls_take_time) now_ += std::chrono::nanoseconds{random_.between(200, 3000)};
  world_.act_now_and_then();
}

// The process may stand still after a wait has told it of events, and before it learns the time.
base::Instant Kernel::read_clock() noexcept {
  if (!std::exchange(just_woke_, false)) return now_;
  enter();
  round_began_ = now_;
  return now_;
}

int Kernel::place(Descriptor descriptor) {
  ++progress_;
  // The lowest free number, as open(2) promises: numbers are used again at once.
  const auto vacant = std::find_if(table_.begin(), table_.end(),
                                   [](const Descriptor& d) { return d.kind == Kind::vacant; });
  const auto number = vacant - table_.begin();
  if (vacant == table_.end()) table_.emplace_back();
  table_[static_cast<std::size_t>(number)] = std::move(descriptor);
  return static_cast<int>(number);
}

Socket& Kernel::socket(int descriptor) noexcept {
  const auto place = static_cast<std::size_t>(descriptor);
  if (place >= table_.size() || table_[place].kind != Kind::socket)
    violated("a call names an open socket", -1, "descriptor " + std::to_string(descriptor));
  return *table_[place].socket;
}

Kernel::PipeBuffer& Kernel::pipe(int descriptor) noexcept {
  const auto place = static_cast<std::size_t>(descriptor);
  if (place >= table_.size() || table_[place].kind != Kind::pipe)
    violated("a splice names an open pipe", -1, "descriptor " + std::to_string(descriptor));
  return *table_[place].pipe;
}

std::size_t Kernel::open_sockets() const noexcept {
  return static_cast<std::size_t>(std::count_if(
      table_.begin(), table_.end(), [](const Descriptor& d) { return d.kind == Kind::socket; }));
}

std::size_t Kernel::open_descriptors() const noexcept {
  return static_cast<std::size_t>(std::count_if(
      table_.begin(), table_.end(), [](const Descriptor& d) { return d.kind != Kind::vacant; }));
}

std::shared_ptr<Socket> Kernel::make_socket() {
  auto made = std::make_shared<Socket>();
  made->begun = woke_at_;
  made->receive_capacity = random_.between(1, conditions_.buffer_max);
  made->send_capacity = random_.between(1, conditions_.buffer_max);
  return made;
}

int Kernel::new_socket(const std::shared_ptr<Socket>& socket) {
  socket->descriptor = place({.kind = Kind::socket, .socket = socket, .pipe = nullptr});
  return socket->descriptor;
}

void Kernel::wake(Socket& socket) noexcept {
  ++progress_;
  if (!socket.registered || socket.closed || socket.on_ready_list || loses_edge(socket)) return;
  socket.on_ready_list = true;
  ready_.push_back(socket.descriptor);
}

// Only edges that nothing but the stall sampler could replace: connecting has a timeout of its own.
bool Kernel::loses_edge(const Socket& socket) noexcept {
  if (conditions_.lost_in == 0 || socket.state == Socket::State::connecting) return false;
  if (socket.side == 1 && !socket.asked) return false;
  return random_.one_in(conditions_.lost_in);
}

void Kernel::arrive(Socket& socket, std::uint32_t bytes, bool urgent) {
  trace(urgent ? "  urgent byte for connection" : "  bytes for connection", socket.connection,
        bytes);
  if (urgent) socket.mark = socket.arrived;
  socket.arrived += bytes;
  for (; bytes > fragment_bytes_max; bytes -= fragment_bytes_max)
    socket.fragments.push_back(fragment_bytes_max);
  socket.fragments.push_back(bytes);
  wake(socket);
}

void Kernel::take(Socket& socket, std::uint64_t bytes) noexcept {
  trace("  connection took", socket.connection, static_cast<std::int64_t>(bytes));
  ++progress_;
  socket.taken += bytes;
  check_loans(socket, false);
  if (!socket.met_full || 3 * socket.room() < socket.send_capacity) return;
  socket.met_full = false;
  wake(socket);
}

void Kernel::reset(Socket& socket, int error) noexcept {
  trace("  reset by connection", socket.connection, error);
  socket.state = Socket::State::dead;
  socket.error = error;
  check_loans(socket, true);
  wake(socket);
}

bool Kernel::has_free_descriptor() const noexcept {
  return conditions_.descriptors_max == 0 || open_descriptors() < conditions_.descriptors_max;
}

base::Result<os::Fd> Kernel::accept(std::deque<std::shared_ptr<Socket>>& queue) noexcept {
  enter();
  if (!has_free_descriptor()) return base::error_from(EMFILE);
  if (fails()) {
    world_.call_failed(nullptr);
    return base::error_from(random_.one_in(2) ? ENOBUFS : ENFILE);
  }
  if (queue.empty()) return base::error_from(EAGAIN);
  const std::shared_ptr<Socket> first = std::move(queue.front());
  queue.pop_front();
  return os::Fd{new_socket(first)};
}

base::Result<os::Fd> Kernel::connect_to(const os::SocketAddress& endpoint) noexcept {
  enter();
  if (fails()) {
    static constexpr std::array errors{EMFILE, ENOBUFS, ENETUNREACH, EADDRNOTAVAIL};
    world_.call_failed(nullptr);
    const std::size_t chosen = random_.between(0, errors.size() - 1);
    if (chosen < 2) world_.attempted();
    return base::error_from(errors[chosen]);
  }
  if (const int error = world_.error_at_once(endpoint); error != 0) return base::error_from(error);
  world_.attempted();
  const std::shared_ptr<Socket> made = make_socket();
  made->side = 1;
  made->no_delay = endpoint.is_unix();  // nothing there is delayed
  new_socket(made);
  world_.dialled(made, endpoint);
  return os::Fd{made->descriptor};
}

// Without a doubt it is no call. An error that came since the answer is for who uses the socket.
int Kernel::connect_result(int descriptor, os::ConnectDoubts doubts) noexcept {
  if (doubts.bears_error || doubts.may_reach_itself) enter();
  Socket& asked = socket(descriptor);
  if (asked.was_ready && asked.end_was_told && asked.unread() == 0)
    violated("a socket that ended before a word was said is not used", asked.connection,
             asked.fin_received ? "FIN had come" : "it was reset");
  if (doubts.bears_error)
    if (const int error = std::exchange(asked.error, 0); error != 0) {
      if (asked.was_ready && asked.unread() > 0) asked.asked = true;  // for what it said before
      return error;
    }
  if (doubts.may_reach_itself && asked.reaches_itself) return ECONNREFUSED;
  if (asked.state == Socket::State::connecting || asked.stood == base::Instant{})
    violated("a connection counts as made only once it stands", asked.connection,
             "nobody asked for its error");
  asked.asked = true;
  asked.asked_at = now_;
  // It was reset since the last wait: nobody could know.
  if (asked.was_ready && asked.state == Socket::State::dead) world_.call_failed(&asked);
  return 0;
}

int Kernel::take_error(int descriptor) noexcept {
  enter();
  return std::exchange(socket(descriptor).error, 0);
}

std::uint64_t Kernel::before_mark(const Socket& socket, bool splicing) const noexcept {
  if (!socket.mark || *socket.mark < socket.read) return socket.unread();
  const std::uint64_t distance = *socket.mark - socket.read;
  // With SO_OOBINLINE a read that starts at the mark goes through it; splice never does.
  if (distance == 0) return splicing ? 0 : socket.unread();
  return std::min(distance, socket.unread());
}

// In the order of tcp_recvmsg(): FIN before the error, for it was there first.
IoResult Kernel::nothing_to_read(Socket& socket) noexcept {
  if (socket.fin_received) return {.status = IoStatus::end};
  if (const int error = std::exchange(socket.error, 0); error != 0)
    return {.status = IoStatus::failed, .error = error};
  if (socket.state == Socket::State::dead) return {.status = IoStatus::end};
  return {.status = IoStatus::would_block};
}

void Kernel::consume(Socket& socket, std::uint64_t bytes) noexcept {
  ++progress_;
  socket.read += bytes;
  while (bytes > 0) {
    std::uint32_t& first = socket.fragments.front();
    const auto part = static_cast<std::uint32_t>(std::min<std::uint64_t>(first, bytes));
    first -= part;
    bytes -= part;
    if (first == 0) socket.fragments.pop_front();
  }
}

IoResult Kernel::receive(int descriptor, std::span<std::byte> into) noexcept {
  enter();
  Socket& from = socket(descriptor);
  nobody_else_reads(from);
  const std::size_t bytes = std::min<std::uint64_t>(into.size(), before_mark(from, false));
  if (bytes == 0) return nothing_to_read(from);
  world_.fill(into.first(bytes), from.connection, from.side, from.read);
  consume(from, bytes);
  world_.holds(from);
  return {.status = IoStatus::moved, .bytes = bytes};
}

std::optional<IoResult> Kernel::cannot_send(Socket& socket) noexcept {
  if (const int error = std::exchange(socket.error, 0); error != 0)
    return IoResult{.status = IoStatus::failed, .error = error};
  if (socket.state != Socket::State::established || socket.fin_sent)
    return IoResult{.status = IoStatus::failed, .error = EPIPE};
  if (fails()) {
    world_.call_failed(&socket);
    return IoResult{.status = IoStatus::failed, .error = ENOBUFS};
  }
  if (socket.room() > 0) return std::nullopt;
  socket.met_full = true;
  return IoResult{.status = IoStatus::would_block};
}

IoResult Kernel::send(int descriptor, std::span<const std::byte> bytes) noexcept {
  enter();
  Socket& to = socket(descriptor);
  if (const auto refusal = cannot_send(to)) return *refusal;
  std::size_t count = std::min<std::uint64_t>(bytes.size(), to.room());
  if (count < bytes.size()) to.met_full = true;
  if (random_.one_in(conditions_.short_in)) count = random_.between(1, count);
  world_.sends(to, bytes.first(count));
  to.sent += count;
  ++to.writes;
  ++progress_;
  return {.status = IoStatus::moved, .bytes = count};
}

base::ErrorCode Kernel::finish_sending(int descriptor) noexcept {
  enter();
  Socket& to = socket(descriptor);
  if (to.state != Socket::State::established) return base::error_from(ENOTCONN);
  if (!to.fin_sent) world_.finishes(to);
  to.fin_sent = true;
  ++progress_;
  wake(to);
  return {};
}

void Kernel::reset_on_close(int descriptor) noexcept {
  enter();
  socket(descriptor).reset_on_close = true;
}

void Kernel::close(int descriptor) noexcept {
  ++steps_;
  ++progress_;
  const auto place = static_cast<std::size_t>(descriptor);
  if (place >= table_.size() || table_[place].kind == Kind::vacant)
    violated("a descriptor is closed once", -1, "descriptor " + std::to_string(descriptor));
  const std::shared_ptr<Socket> closing = table_[place].socket;
  table_[place] = {};
  if (closing == nullptr) return;
  closing->closed = true;
  closing->on_ready_list = false;
  if (closing->state == Socket::State::dead) return;
  // close(2) with bytes unread is a reset too: RFC 1122, 4.2.2.13.
  if (closing->reset_on_close) closing->loans.clear();  // what was queued goes nowhere
  if (closing->reset_on_close || closing->unread() > 0 ||
      closing->state == Socket::State::connecting)
    return world_.resets(*closing);
  if (!closing->fin_sent) world_.finishes(*closing);
  closing->fin_sent = true;
}

std::size_t Kernel::unacknowledged(int descriptor) noexcept {
  enter();
  const Socket& asked = socket(descriptor);
  return asked.state == Socket::State::dead ? 0 : asked.sent - asked.taken;
}

std::size_t Kernel::unread(int descriptor) noexcept {
  enter();
  return socket(descriptor).unread();
}

std::optional<os::TcpInfo> Kernel::tcp_info(int descriptor) noexcept {
  enter();
  const Socket& asked = socket(descriptor);
  os::TcpInfo info;
  if (asked.peer_answers) return info;
  info.last_heard = now_ - asked.silent_since;
  info.unacknowledged = asked.sent > asked.taken ? 1 : 0;
  return info;
}

}  // namespace penstock::simulation
