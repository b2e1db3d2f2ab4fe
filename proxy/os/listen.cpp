#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "os/accounts.hpp"
#include "os/bound_socket.hpp"
#include "os/native_address.hpp"
#include "os/port_use.hpp"
#include "os/socket.hpp"
#include "os/socket_file.hpp"
#include "os/socket_options.hpp"

namespace penstock::os {

namespace {

using Listener = base::SentenceOr<Fd>;

std::string reason(int error) {
  return std::strerror(error);
}

std::string in_use_by(const IpEndpoint& address) {
  const std::string port = std::to_string(address.port);
  switch (use_of_port(address.port)) {
    case PortUse::listener: return "; another process listens there (see ss -ltnp)";
    case PortUse::connection:
      return "; a connection of this machine has that port as its own (see ss -tanp sport = :" +
             port +
             "): reserve it by net.ipv4.ip_local_reserved_ports, or choose one outside "
             "net.ipv4.ip_local_port_range";
    case PortUse::unknown: break;
  }
  return "; another socket is bound to it (see ss -tanp)";
}

std::string advice(int error, const SocketAddress& address) {
  if (address.is_unix())
    return error == EADDRINUSE ? "; a process listens there (see ss -lxp), or it is another file"
                               : "";
  switch (error) {
    case EADDRINUSE: return in_use_by(address.ip());
    case EACCES: return "; ports below 1024 need CAP_NET_BIND_SERVICE";
    case EADDRNOTAVAIL: return "; no interface of this machine has that address";
    default: return "";
  }
}

// A unix socket file outlives its process. It is ours to replace only if it is a socket and nobody
// answers behind it.
void remove_if_stale(const SocketAddress& address, const NativeAddress& native) {
  SocketFile stale{address};  // and not what somebody else may put there meanwhile
  const Fd probe{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (::connect(probe.get(), native.get(), native.length) != 0 && errno == ECONNREFUSED)
    stale.remove();
}

std::string set_ownership(const std::string& path, const ListenOptions& options) {
  constexpr auto unchanged = static_cast<unsigned>(-1);
  const auto owner = options.owner.empty() ? unchanged : user_id(options.owner);
  if (!owner) return "there is no user '" + options.owner + "'";
  const auto group = options.group.empty() ? unchanged : group_id(options.group);
  if (!group) return "there is no group '" + options.group + "'";
  if (::chmod(path.c_str(), options.mode) != 0) return "cannot set the mode: " + reason(errno);
  if (::chown(path.c_str(), *owner, *group) != 0) return "cannot set the owner: " + reason(errno);
  return {};
}

int bind_unix(int socket, const SocketAddress& address, const NativeAddress& native) {
  if (!address.is_abstract()) remove_if_stale(address, native);
  // Born private: bind() creates the file with the umask, and only then can its mode be set.
  const mode_t old = ::umask(0777);
  const int bound = ::bind(socket, native.get(), native.length);
  const int error = errno;
  ::umask(old);
  errno = error;
  return bound;
}

int bind_tcp(int socket, const NativeAddress& native, const ListenOptions& options) {
  const int on = 1;
  const int v6_only = options.v6_only ? 1 : 0;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (native.storage.ss_family == AF_INET6)
    ::setsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only);
  return ::bind(socket, native.get(), native.length);
}

}  // namespace

Listener bind_socket(const SocketAddress& address, const ListenOptions& listen,
                     const SocketOptions& options, bool (*before_bind)(int socket)) {
  const NativeAddress native = to_native(address);
  const std::string where = address.to_string();
  Fd socket{::socket(native.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!socket) return "cannot create a socket for " + where + ": " + reason(errno);
  OptionFault fault = apply_options(socket.get(), options, address.is_unix());
  if (fault.error == 0 && !address.is_unix())
    fault = apply_no_delay(socket.get(), options.no_delay);
  if (fault.error == 0 && !address.is_unix())
    fault = apply_keepalive(socket.get(), options.keepalive);
  if (fault.error != 0)
    return std::string{fault.option} + " was refused for " + where + ": " + reason(fault.error);
  if (before_bind != nullptr && !before_bind(socket.get()))
    return "cannot prepare a socket for " + where + ": " + reason(errno);
  const int bound = address.is_unix() ? bind_unix(socket.get(), address, native)
                                      : bind_tcp(socket.get(), native, listen);
  if (bound != 0) {
    const int error = errno;
    return "cannot bind " + where + ": " + reason(error) + advice(error, address);
  }
  if (address.is_unix() && !address.is_abstract())
    if (std::string fault = set_ownership(address.path(), listen); !fault.empty())
      return where + ": " + fault;
  return socket;
}

std::string start_listening(int socket, const SocketAddress& address, const ListenOptions& listen) {
  if (::listen(socket, listen.backlog) == 0) return {};
  const int error = errno;
  return "cannot listen on " + address.to_string() + ": " + reason(error) + advice(error, address);
}

Listener listen_on(const SocketAddress& address, const ListenOptions& listen,
                   const SocketOptions& options) {
  auto socket = bind_socket(address, listen, options);
  if (!socket) return socket;
  if (std::string fault = start_listening(socket->get(), address, listen); !fault.empty())
    return fault;
  return socket;
}

}  // namespace penstock::os
