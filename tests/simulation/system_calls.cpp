// The second implementation of os/: the same declarations, answered by the simulated kernel. Linked
// in place of penstock_os; addresses are pure and stay the real ones. Those about files: files.cpp.

#include <cerrno>

#include "os/clock.hpp"
#include "os/fd.hpp"
#include "os/local_ports.hpp"
#include "os/numa.hpp"
#include "os/numa_memory.hpp"
#include "os/pipe.hpp"
#include "os/poller.hpp"
#include "os/process.hpp"
#include "os/socket.hpp"
#include "os/tcp_info.hpp"
#include "os/wakeup.hpp"
#include "os/zerocopy.hpp"
#include "simulation/kernel.hpp"

namespace penstock::os {

using simulation::Kernel;

namespace {

IoResult traced(const char* call, int socket, IoResult result) noexcept {
  const auto bytes = static_cast<std::int64_t>(result.bytes);
  Kernel::trace(call, socket, result.status == IoStatus::failed ? -result.error : bytes);
  return result;
}

int traced(const char* call, int socket, int result) noexcept {
  Kernel::trace(call, socket, result);
  return result;
}

base::ErrorCode traced(const char* call, int socket, base::ErrorCode result) noexcept {
  Kernel::trace(call, socket, result.value());
  return result;
}

}  // namespace

void close_descriptor(int descriptor) noexcept {
  Kernel::trace("close", descriptor, 0);
  Kernel::current().close(descriptor);
}

base::Instant now() noexcept {
  return Kernel::current().read_clock();
}

std::int64_t wall_clock_nanoseconds() noexcept {
  return 0;
}

base::Result<Fd> connect_to(const SocketAddress& endpoint, const SocketOptions&,
                            const std::optional<IpEndpoint>&) noexcept {
  auto made = Kernel::current().connect_to(endpoint);
  Kernel::trace("connect_to", made ? made->get() : -1, made ? 0 : -made.error().value());
  return made;
}

void send_at_once(int socket) noexcept {
  Kernel::trace("send_at_once", socket, 0);
  Kernel::current().send_at_once(socket);
}
LocalPorts local_ports() {
  return {};
}
void start_keepalive(int, const SocketOptions::Keepalive&) noexcept {}

int connect_result(int socket, const SocketAddress&, ConnectDoubts doubts) noexcept {
  return traced("connect_result", socket, Kernel::current().connect_result(socket, doubts));
}

IoResult receive(int socket, std::span<std::byte> into) noexcept {
  return traced("receive", socket, Kernel::current().receive(socket, into));
}

IoResult send(int socket, std::span<const std::byte> bytes) noexcept {
  return traced("send", socket, Kernel::current().send(socket, bytes));
}

IoResult send_more(int socket, std::span<const std::byte> bytes) noexcept {
  return traced("send", socket, Kernel::current().send(socket, bytes));
}

base::ErrorCode finish_sending(int socket) noexcept {
  return traced("finish_sending", socket, Kernel::current().finish_sending(socket));
}

void reset_on_close(int socket) noexcept {
  Kernel::trace("reset_on_close", socket, 0);
  Kernel::current().reset_on_close(socket);
}

std::size_t unacknowledged_bytes(int socket) noexcept {
  return Kernel::current().unacknowledged(socket);
}

std::optional<std::size_t> unread_bytes(int socket) noexcept {
  return Kernel::current().unread(socket);
}

int take_error(int socket) noexcept {
  return traced("take_error", socket, Kernel::current().take_error(socket));
}

IpEndpoint local_endpoint(int) noexcept {
  return {};
}

std::optional<TcpInfo> tcp_info(int socket) noexcept {
  return Kernel::current().tcp_info(socket);
}

base::Result<Pipe> open_pipe(std::size_t bytes) noexcept {
  return Kernel::current().open_pipe(bytes);
}

void resize_pipe(Pipe& pipe, std::size_t bytes) noexcept {
  Kernel::current().resize_pipe(pipe, bytes);
}

IoResult splice_in(int socket, const Pipe& pipe, std::size_t bytes_max) noexcept {
  return traced("splice_in", socket,
                Kernel::current().splice_in(socket, pipe.write_end.get(), bytes_max));
}

IoResult splice_out(const Pipe& pipe, int socket, std::size_t bytes_max) noexcept {
  return traced("splice_out", socket,
                Kernel::current().splice_out(pipe.read_end.get(), socket, bytes_max));
}

IoResult read_pipe(const Pipe& pipe, std::span<std::byte> into) noexcept {
  return traced("read_pipe", pipe.read_end.get(),
                Kernel::current().read_pipe(pipe.read_end.get(), into));
}

std::array<Readiness, 2> ready_now(std::array<int, 2> sockets) noexcept {
  Kernel::trace("ready_now", sockets[0], sockets[1]);
  return Kernel::current().ready_now(sockets);
}

base::Result<Poller> Poller::create() {
  Poller poller;
  poller.epoll_ = Fd{Kernel::current().new_other()};
  poller.wake_ = Fd{Kernel::current().new_other()};
  return poller;
}

base::ErrorCode Poller::use_ring(std::pmr::memory_resource&) noexcept {
  return Kernel::current().make_ring() ? base::ErrorCode{} : base::error_from(EPERM);
}

base::ErrorCode Poller::add(int descriptor, std::uint64_t token, Reads reads) noexcept {
  return traced("add", descriptor,
                Kernel::current().add(descriptor, token, reads == Reads::asked_for));
}

void Poller::close(int descriptor) noexcept {
  Kernel::trace("Poller::close", descriptor, 0);
  Kernel::current().close_in_order(descriptor);
}

void Poller::receive(int descriptor) noexcept {
  Kernel::trace("ask to receive", descriptor, 0);
  Kernel::current().ask(descriptor, simulation::Socket::Asked::bytes);
}

void Poller::await_readable(int descriptor) noexcept {
  Kernel::trace("ask to be told", descriptor, 0);
  Kernel::current().ask(descriptor, simulation::Socket::Asked::readiness);
}

void Poller::cancel(int descriptor) noexcept {
  Kernel::trace("cancel", descriptor, 0);
  Kernel::current().cancel(descriptor);
}

std::span<const std::byte> Poller::buffer(std::uint16_t index) const noexcept {
  return Kernel::current().buffer(index);
}

void Poller::give_back(std::uint16_t index) noexcept {
  Kernel::current().give_back(index);
}

// Of a real poller only: here none is ever made.
struct Ring::Native {};
Ring::~Ring() = default;

base::ErrorCode allow_zerocopy(int socket) noexcept {
  return traced("allow_zerocopy", socket, Kernel::current().allow_zerocopy(socket));
}

IoResult send_zerocopy(int socket, std::span<const std::byte> bytes) noexcept {
  return traced("send_zerocopy", socket, Kernel::current().send_zerocopy(socket, bytes));
}

std::optional<ZerocopyNotice> take_zerocopy_notice(int socket) noexcept {
  const auto notice = Kernel::current().take_notice(socket);
  Kernel::trace("take_zerocopy_notice", socket, notice ? notice->last : -1);
  return notice;
}

void drop_pages(PageRange range) noexcept {
  Kernel::current().drop_pages({range.begin, range.bytes});
}
std::uint64_t page_bytes() noexcept {
  return 4096;
}

std::span<const Event> Poller::wait(base::Duration timeout) noexcept {
  const std::size_t count = Kernel::current().wait(timeout, events_);
  Kernel::trace("wait", static_cast<int>(count), timeout.count());
  for (std::size_t i = 0; i < count; ++i)
    Kernel::trace("  event", static_cast<int>(i), static_cast<std::int64_t>(events_[i].token));
  return {events_.data(), count};
}

void Poller::wake() noexcept {
  Kernel::current().wake_waiter();
}

Wakeup::Wakeup() : event_{Kernel::current().new_other()} {}

void Wakeup::notify() noexcept {
  Kernel::trace("notify", descriptor(), 0);
  Kernel::current().notified(descriptor()) = true;
}

void Wakeup::clear() noexcept {
  Kernel::current().notified(descriptor()) = false;
}

// Where a thread runs plays no part here.
void name_thread(const std::string&) noexcept {}
bool bind_thread_to_cpus(const std::vector<int>&) noexcept {
  return false;
}
bool prefer_local_memory() noexcept {
  return false;
}
bool bind_memory_to_node(int) noexcept {
  return false;
}
int current_cpu() noexcept {
  return 0;
}
std::optional<int> incoming_cpu(int) noexcept {
  return std::nullopt;
}

}  // namespace penstock::os
