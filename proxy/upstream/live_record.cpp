#include "upstream/live_record.hpp"

#include <cerrno>

namespace penstock::upstream {

ConnectFailure connect_failure_from(int error_number) noexcept {
  switch (error_number) {
    case ECONNREFUSED:
    case ECONNRESET:
    case ENOENT: return ConnectFailure::refused;
    case ETIMEDOUT: return ConnectFailure::timeout;
    case EHOSTUNREACH:
    case EHOSTDOWN: return ConnectFailure::unreachable;
    case ENETUNREACH:
    case EAFNOSUPPORT: return ConnectFailure::no_route;
    case EADDRNOTAVAIL: return ConnectFailure::no_port;
    case EACCES:
    case EPERM: return ConnectFailure::not_permitted;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case ENOSPC: return ConnectFailure::local;
    default: return ConnectFailure::other;
  }
}

std::optional<ConnectFailure> host_fault_from(int error_number) noexcept {
  switch (error_number) {
    // Of routes that say unreachable and blackhole, and of a device that has gone.
    case EHOSTUNREACH:
    case EINVAL:
    case ENODEV: return ConnectFailure::no_route;
    default: break;
  }
  const ConnectFailure failure = connect_failure_from(error_number);
  const bool is_ours = !is_endpoints_fault(failure) && failure != ConnectFailure::local;
  return is_ours ? std::optional{failure} : std::nullopt;
}

}  // namespace penstock::upstream
