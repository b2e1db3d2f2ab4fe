#include "os/socket_options.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/time.hpp"

namespace penstock::os {

namespace {

// Collects the first refusal and skips the rest.
class Setter {
 public:
  explicit Setter(int socket) noexcept : socket_{socket} {}

  void set(const char* key, int level, int name, const void* value, std::size_t size) noexcept {
    if (fault_.error != 0) return;
    if (::setsockopt(socket_, level, name, value, static_cast<socklen_t>(size)) == 0) return;
    fault_ = {.error = errno, .option = key};
  }
  void set(const char* key, int level, int name, std::int64_t value) noexcept {
    const int number = static_cast<int>(std::min<std::int64_t>(value, 0x7fff'ffff));
    set(key, level, name, &number, sizeof number);
  }
  OptionFault fault() const noexcept { return fault_; }

 private:
  int socket_;
  OptionFault fault_;
};

// TCP's keepalive options count whole seconds, at least one.
std::int64_t seconds(base::Duration value) noexcept {
  return std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(value).count());
}

bool is_v6(int socket) noexcept {
  int domain = 0;
  socklen_t length = sizeof domain;
  return ::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 && domain == AF_INET6;
}

void set_dscp(Setter& setter, int socket, int dscp) noexcept {
  if (dscp == 0) return;
  const int traffic_class = dscp << 2;  // the six high bits of the old TOS octet (RFC 2474)
  setter.set("dscp", IPPROTO_IP, IP_TOS, traffic_class);
  if (is_v6(socket)) setter.set("dscp", IPPROTO_IPV6, IPV6_TCLASS, traffic_class);
}

}  // namespace

OptionFault apply_no_delay(int socket, bool no_delay) noexcept {
  Setter setter{socket};
  if (no_delay) setter.set("no_delay", IPPROTO_TCP, TCP_NODELAY, 1);
  return setter.fault();
}

void send_at_once(int socket) noexcept {
  apply_no_delay(socket, true);  // as start_keepalive()
}

OptionFault apply_keepalive(int socket, const SocketOptions::Keepalive& keepalive) noexcept {
  Setter setter{socket};
  if (keepalive.idle.count() == 0) return setter.fault();
  setter.set("keepalive", SOL_SOCKET, SO_KEEPALIVE, 1);
  setter.set("keepalive.idle", IPPROTO_TCP, TCP_KEEPIDLE, seconds(keepalive.idle));
  setter.set("keepalive.interval", IPPROTO_TCP, TCP_KEEPINTVL, seconds(keepalive.interval));
  setter.set("keepalive.count", IPPROTO_TCP, TCP_KEEPCNT, keepalive.count);
  return setter.fault();
}

void start_keepalive(int socket, const SocketOptions::Keepalive& keepalive) noexcept {
  // The listener took the same values, so a refusal can only mean that the socket is gone.
  apply_keepalive(socket, keepalive);
}

std::optional<int> incoming_cpu(int socket) noexcept {
  int domain = AF_UNIX;
  socklen_t length = sizeof domain;
  // A unix socket has the option too, and says 0.
  if (::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &length) != 0 || domain == AF_UNIX)
    return std::nullopt;
  int cpu = -1;
  length = sizeof cpu;
  if (::getsockopt(socket, SOL_SOCKET, SO_INCOMING_CPU, &cpu, &length) != 0 || cpu < 0)
    return std::nullopt;
  return cpu;
}

OptionFault apply_options(int socket, const SocketOptions& options, bool is_unix) noexcept {
  Setter setter{socket};
  if (options.receive_buffer != 0)
    setter.set("receive_buffer", SOL_SOCKET, SO_RCVBUF,
               static_cast<std::int64_t>(options.receive_buffer));
  if (options.send_buffer != 0)
    setter.set("send_buffer", SOL_SOCKET, SO_SNDBUF,
               static_cast<std::int64_t>(options.send_buffer));
  setter.set("oobinline", SOL_SOCKET, SO_OOBINLINE, 1);  // unix sockets have urgent bytes as well
  if (is_unix) return setter.fault();
  if (options.tcp_user_timeout.count() != 0)
    setter.set("tcp_user_timeout", IPPROTO_TCP, TCP_USER_TIMEOUT,
               std::chrono::ceil<std::chrono::milliseconds>(options.tcp_user_timeout).count());
  if (options.notsent_lowat != 0)
    setter.set("notsent_lowat", IPPROTO_TCP, TCP_NOTSENT_LOWAT,
               static_cast<std::int64_t>(options.notsent_lowat));
  if (!options.congestion.empty())
    setter.set("congestion", IPPROTO_TCP, TCP_CONGESTION, options.congestion.data(),
               options.congestion.size());
  set_dscp(setter, socket, options.dscp);
  if (options.mark != 0)
    setter.set("mark", SOL_SOCKET, SO_MARK, &options.mark, sizeof options.mark);
  return setter.fault();
}

}  // namespace penstock::os
