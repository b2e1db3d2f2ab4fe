#pragma once
// Which errors come from TLS, for those who need not know OpenSSL. Pure. Thread: any.

#include "base/result.hpp"

namespace penstock::health {

// The error is of TLS, not of the network.
bool is_of_tls(const base::ErrorCode& error) noexcept;
// The other side closed the connection within a handshake.
bool is_cut_short(const base::ErrorCode& error) noexcept;

}  // namespace penstock::health
