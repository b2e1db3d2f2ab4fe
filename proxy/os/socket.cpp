#include "os/socket.hpp"

#include <linux/filter.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

#include <cerrno>

#include "os/native_address.hpp"
#include "os/socket_options.hpp"

namespace penstock::os {

namespace {

template <class Call>
auto retry(Call&& call) noexcept {
  for (;;) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

IoResult to_result(ssize_t count) noexcept {
  if (count > 0) return {.status = IoStatus::moved, .bytes = static_cast<std::size_t>(count)};
  if (count == 0) return {.status = IoStatus::end};
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {.status = IoStatus::would_block};
  return {.status = IoStatus::failed, .error = errno};
}

// accept(2), "Error handling": these belong to the new connection, not to the listener.
bool concerns_only_the_lost_connection(int error) noexcept {
  switch (error) {
    case ECONNABORTED:
    case ENETDOWN:
    case EPROTO:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH: return true;
    default: return false;
  }
}

// 0 or the errno.
int bind_source(int socket, const IpEndpoint& source) noexcept {
  const int on = 1;
  if (::setsockopt(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) != 0) return errno;
  const NativeAddress native = to_native(SocketAddress{source});
  return ::bind(socket, native.get(), native.length) == 0 ? 0 : errno;
}

}  // namespace

base::ErrorCode drop_new_handshakes(int listener) noexcept {
  // The program sees the segment from its TCP header on; byte 13 holds the flags. A SYN without ACK
  // opens a handshake. Everything else, above all the last ACK of one under way, passes.
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),          BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x12),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x02, 0, 1), BPF_STMT(BPF_RET | BPF_K, 0),
      BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
  };
  const sock_fprog program{.len = std::size(code), .filter = code};
  const int set = ::setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
  return set == 0 ? base::ErrorCode{} : base::error_from(errno);
}

base::Result<Fd> accept_from(int listener, IpEndpoint& peer,
                             const SocketOptions& options) noexcept {
  for (;;) {
    sockaddr_storage storage;
    socklen_t length = sizeof storage;
    auto* address = reinterpret_cast<sockaddr*>(&storage);
    const int accepted = ::accept4(listener, address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted >= 0) {
      peer = IpEndpoint::from_sockaddr(*address);
      // The listener took the same values.
      if (address->sa_family == AF_UNIX) apply_options(accepted, options, true);
      return Fd{accepted};
    }
    if (errno != EINTR && !concerns_only_the_lost_connection(errno)) return base::error_from(errno);
  }
}

base::Result<Fd> connect_to(const SocketAddress& address, const SocketOptions& options,
                            const std::optional<IpEndpoint>& source) noexcept {
  const NativeAddress native = to_native(address);
  Fd socket{::socket(native.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!socket) return base::error_from(errno);
  if (const auto fault = apply_options(socket.get(), options, address.is_unix()); fault.error != 0)
    return base::error_from(fault.error);
  if (source && source->family == address.ip().family)
    if (const int error = bind_source(socket.get(), *source); error != 0)
      return base::error_from(error);
  // A unix socket whose backlog is full answers EAGAIN at once; that is a failed attempt.
  if (::connect(socket.get(), native.get(), native.length) != 0 && errno != EINPROGRESS)
    return base::error_from(errno);
  return socket;
}

int take_error(int socket) noexcept {
  int error = 0;
  socklen_t length = sizeof error;
  return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

int connect_result(int socket, const SocketAddress& address, ConnectDoubts doubts) noexcept {
  if (doubts.bears_error)
    if (const int error = take_error(socket); error != 0) return error;
  if (address.is_unix() || !doubts.may_reach_itself) return 0;
  const IpEndpoint local = local_endpoint(socket);
  if (local.port != address.ip().port) return 0;
  // The peer's name is asked for, not taken from `address`: dialling 0.0.0.0 reaches 127.0.0.1.
  NativeAddress name;
  name.length = sizeof name.storage;
  if (::getpeername(socket, name.get(), &name.length) != 0) return errno;
  return local == IpEndpoint::from_sockaddr(*name.get()) ? ECONNREFUSED : 0;
}

IoResult receive(int socket, std::span<std::byte> into) noexcept {
  return to_result(retry([&] { return ::recv(socket, into.data(), into.size(), 0); }));
}

IoResult send(int socket, std::span<const std::byte> bytes) noexcept {
  return to_result(retry([&] { return ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL); }));
}

IoResult send_more(int socket, std::span<const std::byte> bytes) noexcept {
  return to_result(
      retry([&] { return ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_MORE); }));
}

IoResult send_urgent(int socket, std::span<const std::byte> bytes) noexcept {
  return to_result(
      retry([&] { return ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_OOB); }));
}

base::ErrorCode finish_sending(int socket) noexcept {
  return ::shutdown(socket, SHUT_WR) == 0 ? base::ErrorCode{} : base::error_from(errno);
}

void reset_on_close(int socket) noexcept {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

std::size_t unacknowledged_bytes(int socket) noexcept {
  int bytes = 0;
  return ::ioctl(socket, SIOCOUTQ, &bytes) == 0 ? static_cast<std::size_t>(bytes) : 0;
}

std::optional<std::size_t> unread_bytes(int socket) noexcept {
  int bytes = 0;
  if (::ioctl(socket, SIOCINQ, &bytes) != 0) return std::nullopt;
  return static_cast<std::size_t>(bytes);
}

IpEndpoint local_endpoint(int socket) noexcept {
  NativeAddress name;
  name.length = sizeof name.storage;
  if (::getsockname(socket, name.get(), &name.length) != 0) return {};
  return IpEndpoint::from_sockaddr(*name.get());
}

}  // namespace penstock::os
