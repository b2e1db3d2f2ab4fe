#pragma once
// Where the kernel copies although it was asked not to: towards which hosts.
//
// A path is a host, folded to one of 256: two that share a number share the verdict, which costs
// one of them a gain and never a byte. A verdict is forgotten after base::zerocopy_retry_after, for
// routes and devices change.
//
// Owner    the Workspace. Thread: the forwarder's own.

#include <array>
#include <cstdint>

#include "base/limits.hpp"
#include "base/time.hpp"
#include "os/address.hpp"

namespace penstock::relay {

using ZerocopyPath = std::uint8_t;

inline ZerocopyPath path_towards(const os::IpEndpoint& host) noexcept {
  std::uint32_t folded = 0;
  for (const std::uint8_t byte : host.bytes) folded = folded * 31 + byte;
  return static_cast<ZerocopyPath>(folded ^ folded >> 8 ^ folded >> 16);
}

class ZerocopyPaths {
 public:
  bool copies(ZerocopyPath path, base::Instant now) const noexcept { return now < until_[path]; }
  void note_copied(ZerocopyPath path, base::Instant now) noexcept {
    until_[path] = now + base::zerocopy_retry_after;
  }

 private:
  std::array<base::Instant, base::zerocopy_paths> until_{};
};

}  // namespace penstock::relay
