#include "session/failure_reason.hpp"

#include <cerrno>

namespace penstock::session {

CloseReason reason_of_failure(unsigned side, int error) noexcept {
  switch (error) {
    case ETIMEDOUT: return CloseReason::peer_timeout;
    case ENOBUFS:
    case ENOMEM: return CloseReason::overload;
    default: return side == 0 ? CloseReason::client_reset : CloseReason::upstream_reset;
  }
}

}  // namespace penstock::session
