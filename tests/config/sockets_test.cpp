#include "config/sockets.hpp"

#include "catch.hpp"

namespace penstock::config {

namespace {

BoundSocket bound(const std::string& address, bool v6_only = false) {
  return {*os::parse_socket_address(address), v6_only};
}

OwnSockets with(const std::vector<BoundSocket>& sockets) {
  OwnSockets own;
  for (const BoundSocket& one : sockets)
    own.add({.bound = one, .owner = one.address.to_string(), .is_loop = true});
  return own;
}

std::string in_the_way(const std::vector<BoundSocket>& sockets, const BoundSocket& newcomer) {
  const OwnSockets own = with(sockets);
  const OwnSocket* found = own.in_the_way_of(newcomer);
  return found == nullptr ? "" : found->owner;
}

}  // namespace

TEST_CASE("a socket finds the first that stands in its way", "[config]") {
  CHECK(in_the_way({bound("127.0.0.1:80")}, bound("127.0.0.1:80")) == "127.0.0.1:80");
  CHECK(in_the_way({bound("127.0.0.1:80")}, bound("127.0.0.1:81")).empty());
  CHECK(in_the_way({bound("127.0.0.1:80")}, bound("127.0.0.2:80")).empty());
  CHECK(in_the_way({bound("0.0.0.0:80")}, bound("127.0.0.2:80")) == "0.0.0.0:80");
  CHECK(in_the_way({bound("[::]:80")}, bound("127.0.0.2:80")) == "[::]:80");
  CHECK(in_the_way({bound("[::]:80", true)}, bound("127.0.0.2:80")).empty());
  CHECK(in_the_way({bound("[::1]:80"), bound("10.0.0.1:80")}, bound("[::]:80")) == "[::1]:80");
  CHECK(in_the_way({bound("10.0.0.1:80"), bound("[::1]:80")}, bound("[::]:80")) == "10.0.0.1:80");
  CHECK(in_the_way({bound("10.0.0.1:80"), bound("[::1]:80")}, bound("[::]:80", true)) ==
        "[::1]:80");
  CHECK(in_the_way({bound("unix:/a")}, bound("unix:/a")) == "unix:/a");
  CHECK(in_the_way({bound("unix:/a")}, bound("unix:/b")).empty());
}

TEST_CASE("an endpoint finds the socket of this file that it reaches", "[config]") {
  const OwnSockets own = with({bound("127.0.0.1:80"), bound("0.0.0.0:81"), bound("[::]:82")});
  const auto reached = [&](const std::string& endpoint) {
    const OwnSocket* found = own.reached_by(*os::parse_socket_address(endpoint));
    return found == nullptr ? std::string{} : found->owner;
  };
  CHECK(reached("127.0.0.1:80") == "127.0.0.1:80");
  CHECK(reached("127.9.9.9:81") == "0.0.0.0:81");
  CHECK(reached("127.0.0.1:82") == "[::]:82");
  CHECK(reached("[::1]:82") == "[::]:82");
  CHECK(reached("10.0.0.1:81").empty());
  CHECK(reached("[::1]:81").empty());
}

}  // namespace penstock::config
