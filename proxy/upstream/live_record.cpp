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
    case ENETUNREACH: return ConnectFailure::no_route;
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

}  // namespace penstock::upstream
