#include "wire/proxy_header.hpp"

#include "catch.hpp"

using namespace penstock::wire;

TEST_CASE("the header of a connection of our own has 16 bytes and no address", "[wire]") {
  const std::string expected{"\x0d\x0a\x0d\x0a\x00\x0d\x0a\x51\x55\x49\x54\x0a\x20\x00\x00\x00",
                             16};
  CHECK(proxy_v2_local() == expected);
}

TEST_CASE("the head states command, family and the length of the rest in network order", "[wire]") {
  const std::string head = proxy_v2_head(ProxyCommand::proxy, ProxyFamily::tcp_v6, 0x1234);
  REQUIRE(head.size() == proxy_v2_head_bytes);
  CHECK(head.substr(12) == "\x21\x21\x12\x34");
}
