#pragma once
// The addresses of this host, to know who connects from it, and what can be listened on.
//
// Thread   any, after it was made. Limit: an address that comes later is not known.

#include <vector>

#include "os/address.hpp"

namespace penstock::os {

class HostAddresses {
 public:
  HostAddresses() = default;  // none, but for loopback and unix sockets
  static HostAddresses now();

  // Unix sockets, loopback, and whatever address a device had.
  bool has(const IpEndpoint& peer) const noexcept;

 private:
  std::vector<IpEndpoint> addresses_;  // ascending, without port and scope
};

// False where a listener cannot be bound because no device has the address, or the kernel does not
// know the family. Asks the kernel, which knows of settings such as ip_nonlocal_bind.
bool has_address_to_bind(IpEndpoint endpoint) noexcept;

}  // namespace penstock::os
