// The values were worked out by another program from the published definitions. They are a promise:
// another value sends clients elsewhere.

#include "upstream/hash.hpp"

#include <netinet/in.h>

#include <set>

#include "catch.hpp"

using namespace penstock;
using upstream::hash_of;
using upstream::HashKey;

namespace {

os::IpEndpoint client(const std::string& text) {
  return os::parse_socket_address(text)->ip();
}

// As accept() tells it on a socket that serves both.
os::IpEndpoint mapped_client(std::array<std::uint8_t, 4> v4, std::uint16_t port) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  address.sin6_addr.s6_addr[10] = address.sin6_addr.s6_addr[11] = 0xff;
  std::copy(v4.begin(), v4.end(), address.sin6_addr.s6_addr + 12);
  return os::IpEndpoint::from_sockaddr(reinterpret_cast<const sockaddr&>(address));
}

}  // namespace

TEST_CASE("the hash of a text is FNV-1a with the finalizer of SplitMix64", "[upstream]") {
  REQUIRE(hash_of("") == 0xf52a'15e9'a9b5'e89b);
  REQUIRE(hash_of("a") == 0x02c0'bdbf'4814'20f8);
  REQUIRE(hash_of("foobar") == 0x404d'a9e3'b740'78c2);
  REQUIRE(hash_of("10.0.0.1:80") == 0xdbbc'907f'2153'1a73);
}

TEST_CASE("numbers are mixed as SplitMix64 does from its published seed", "[upstream]") {
  REQUIRE(upstream::mixed_again(1'234'567, 0) == 6'457'827'717'110'365'317U);
  REQUIRE(upstream::mixed_again(1'234'567, 1) == 3'203'168'211'198'807'973U);
  REQUIRE(upstream::mixed_again(1'234'567, 2) == 9'817'491'932'198'370'423U);
}

TEST_CASE("a client's hash is that of its address in network order", "[upstream]") {
  REQUIRE(hash_of(client("192.0.2.1:49152"), HashKey::source) == 0x1e00'e9a1'2f82'49cb);
  REQUIRE(hash_of(client("192.0.2.1:49153"), HashKey::source) == 0x1e00'e9a1'2f82'49cb);
  REQUIRE(hash_of(client("[2001:db8::1]:443"), HashKey::source) == 0x216d'ba65'aa6c'0c57);
}

TEST_CASE("with source_port the port counts as well", "[upstream]") {
  REQUIRE(hash_of(client("192.0.2.1:49152"), HashKey::source_port) == 0x1dc7'4286'f607'f5cf);
  REQUIRE(hash_of(client("192.0.2.1:49153"), HashKey::source_port) == 0xb06e'5330'0c8a'fe84);
  REQUIRE(hash_of(client("[2001:db8::1]:443"), HashKey::source_port) == 0x1714'080a'4615'e4cf);
}

TEST_CASE("an IPv4 client that comes in by IPv6 has its IPv4 hash", "[upstream]") {
  const auto key = GENERATE(HashKey::source, HashKey::source_port);
  REQUIRE(hash_of(mapped_client({192, 0, 2, 1}, 49'152), key) ==
          hash_of(client("192.0.2.1:49152"), key));
}

TEST_CASE("clients of a unix socket share one hash", "[upstream]") {
  REQUIRE(hash_of(os::IpEndpoint{}, HashKey::source) == 0xf52a'15e9'a9b5'e89b);
  REQUIRE(hash_of(os::IpEndpoint{}, HashKey::source_port) == 0x7bc2'1004'6bd6'16cc);
}

TEST_CASE("further hashes of one key differ from it and from each other", "[upstream]") {
  std::set<std::uint64_t> seen{42};
  for (std::uint64_t number = 0; number < 1000; ++number)
    seen.insert(upstream::mixed_again(42, number));
  REQUIRE(seen.size() == 1001);
}
