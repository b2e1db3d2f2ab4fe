#pragma once
// Addresses as the test language writes them, turned into the kernel's.

#include <sys/socket.h>

#include <string>

namespace penstock::e2e {

struct NativeAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
  const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
};

// "v4:port", "[v6]:port" or "unix:/path"; throws Failure for anything else.
NativeAddress to_native(const std::string& address);

}  // namespace penstock::e2e
