#include "upstream/live_record.hpp"

#include <cerrno>

namespace penstock::upstream {

ConnectFailure connect_failure_from(int error_number) noexcept {
  switch (error_number) {
    case ECONNREFUSED:
    case ECONNRESET:
    case ENOENT: return ConnectFailure::refused;
    case ETIMEDOUT: return ConnectFailure::timeout;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EHOSTDOWN: return ConnectFailure::unreachable;
    // Ours, not the endpoint's: no port, no descriptor, no memory, no right.
    case EADDRNOTAVAIL:
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case ENOSPC:
    case EACCES:
    case EPERM: return ConnectFailure::local;
    default: return ConnectFailure::other;
  }
}

}  // namespace penstock::upstream
