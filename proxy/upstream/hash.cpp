#include "upstream/hash.hpp"

#include <algorithm>
#include <array>

namespace penstock::upstream {

namespace {

constexpr std::uint64_t fnv_basis = 0xcbf2'9ce4'8422'2325;
constexpr std::uint64_t fnv_prime = 0x100'0000'01b3;

template <class Bytes>
std::uint64_t fnv_1a(const Bytes& bytes) noexcept {
  std::uint64_t hash = fnv_basis;
  for (const auto byte : bytes) hash = (hash ^ static_cast<std::uint8_t>(byte)) * fnv_prime;
  return hash;
}

}  // namespace

std::uint64_t hash_of(std::span<const std::uint8_t> bytes) noexcept {
  return mixed(fnv_1a(bytes));
}

std::uint64_t hash_of(std::string_view text) noexcept {
  return mixed(fnv_1a(text));
}

std::uint64_t hash_of(const os::IpEndpoint& client, HashKey key) noexcept {
  std::array<std::uint8_t, 18> bytes{};
  std::size_t count = 0;
  switch (client.family) {
    case os::IpEndpoint::Family::none: break;
    case os::IpEndpoint::Family::v4: count = 4; break;
    case os::IpEndpoint::Family::v6: count = 16; break;
  }
  std::copy_n(client.bytes.begin(), count, bytes.begin());
  if (key == HashKey::source_port) {
    bytes[count++] = static_cast<std::uint8_t>(client.port >> 8);
    bytes[count++] = static_cast<std::uint8_t>(client.port & 0xff);
  }
  return hash_of(std::span<const std::uint8_t>{bytes}.first(count));
}

}  // namespace penstock::upstream
