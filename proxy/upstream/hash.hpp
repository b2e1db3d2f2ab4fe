#pragma once
// The hash of source_hash and maglev: fixed, so that two machines agree without talking.
//
// FNV-1a of 64 bits over the bytes (Fowler, Noll, Vo; draft-eastlake-fnv), then the finalizer of
// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014), because
// the low bits of FNV alone are weak. No seed. It is no defence against somebody who chooses his
// addresses in order to meet one endpoint.

#include <cstdint>
#include <span>
#include <string_view>

#include "os/address.hpp"
#include "upstream/spec.hpp"

namespace penstock::upstream {

constexpr std::uint64_t mixed(std::uint64_t value) noexcept {
  value = (value ^ (value >> 30)) * 0xbf58'476d'1ce4'e5b9;
  value = (value ^ (value >> 27)) * 0x94d0'49bb'1331'11eb;
  return value ^ (value >> 31);
}

// Another value for each number, as good as independent of those before.
constexpr std::uint64_t mixed_again(std::uint64_t value, std::uint64_t number) noexcept {
  return mixed(value + (number + 1) * 0x9e37'79b9'7f4a'7c15);
}

std::uint64_t hash_of(std::span<const std::uint8_t> bytes) noexcept;
std::uint64_t hash_of(std::string_view text) noexcept;

// Of the address in network order (4 bytes of IPv4, 16 of IPv6) and, for source_port, the two of
// the port. Clients of a unix socket have no address and share one hash.
std::uint64_t hash_of(const os::IpEndpoint& client, HashKey key) noexcept;

}  // namespace penstock::upstream
