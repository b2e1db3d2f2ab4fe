#include "os/address.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "catch.hpp"

namespace penstock::os {

namespace {
SocketAddress parsed(std::string_view text) {
  const auto result = parse_socket_address(text, interface_number);
  INFO(text);
  REQUIRE(result.has_value());
  return *result;
}
}  // namespace

TEST_CASE("an address prints in its canonical form, which parses to the same address", "[os]") {
  const struct {
    const char* text;
    const char* canonical;
  } rows[] = {
      {"10.0.0.1:80", "10.0.0.1:80"},
      {"0.0.0.0:65535", "0.0.0.0:65535"},
      {"[::1]:8080", "[::1]:8080"},
      {"[::]:1", "[::]:1"},
      {"[2001:DB8:0:0::1]:443", "[2001:db8::1]:443"},
      {"[::ffff:10.0.0.1]:80", "10.0.0.1:80"},
      {"[::FFFF:a00:1]:80", "10.0.0.1:80"},
      {"[fe80::1%lo]:80", "[fe80::1%1]:80"},
      {"[ff02::1%lo]:80", "[ff02::1%1]:80"},
      {"[::1%1]:80", "[::1]:80"},  // a zone means something to link-local addresses alone
      {"[2001:db8::1%lo]:80", "[2001:db8::1]:80"},
      {"unix:/run/app.sock", "unix:/run/app.sock"},
      {"unix:/run/./app.sock", "unix:/run/app.sock"},
      {"unix://run//app.sock", "unix:/run/app.sock"},
      {"unix:/run/..app./app.sock", "unix:/run/..app./app.sock"},
      {"unix:@a/./b", "unix:@a/./b"},  // an abstract name is no path
      {"unix:@name", "unix:@name"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const SocketAddress address = parsed(row.text);
    CHECK(address.to_string() == row.canonical);
    CHECK(parsed(address.to_string()) == address);
  }
}

TEST_CASE("a text that is no address is refused with a sentence", "[os]") {
  using namespace std::string_view_literals;
  const std::string long_path = "unix:/" + std::string(unix_path_bytes_max, 'x');
  const std::string_view rows[] = {"",
                                   ":",
                                   ":80",
                                   "10.0.0.1",
                                   "10.0.0.1:",
                                   "10.0.0.1:0",
                                   "10.0.0.1:65536",
                                   "10.0.0.1:080",
                                   "10.0.0.1:+8",
                                   "10.0.0.1:8 ",
                                   "10.0.0.1:99999999999",
                                   "[127.0.0.1]:80",
                                   "[localhost]:80",
                                   "unix:/run/../tmp/app.sock",
                                   "unix:/run/app.sock/",
                                   "10.0.0:80",
                                   "10.0.0.256:80",
                                   "010.0.0.1:80",
                                   "::1:80",
                                   "[::1]",
                                   "[::1]80",
                                   "[::1:80",
                                   "[]:80",
                                   "[::g]:80",
                                   "[fe80::1%nosuchlink]:80",
                                   "[fe80::1%0]:80",
                                   "[fe80::1%]:80",
                                   "localhost:80",
                                   "10.0.0.1\0x:80"sv,
                                   "unix:",
                                   "unix:@",
                                   "unix:relative",
                                   "unix:/a\0b"sv,
                                   long_path};
  for (const auto row : rows) {
    CAPTURE(row);
    const auto result = parse_socket_address(row, interface_number);
    REQUIRE(result.has_error());
    CHECK_FALSE(result.error().empty());
  }
  CHECK(parse_socket_address(long_path.substr(0, long_path.size() - 1)).has_value());
}

TEST_CASE("a peer writes the zone of an address as a number, the operator also as a name", "[os]") {
  CHECK(parse_socket_address("[fe80::1%7]:80")->ip().scope == 7);
  CHECK(parse_socket_address("[fe80::1%lo]:80").has_error());
  CHECK(parse_socket_address("[fe80::1%lo]:80", interface_number)->ip().scope == 1);
  CHECK(interface_number("lo") == 1);
  CHECK(interface_number("") == 0);
  CHECK(interface_number("nosuchlink") == 0);
  CHECK(interface_number("lo" + std::string(IFNAMSIZ, 'x')) == 0);  // never cut off to another name
}

TEST_CASE("host and port are split at the last colon", "[os]") {
  std::string host;
  std::uint16_t port = 0;
  CHECK(split_host_port("db.example:5432", host, port));
  CHECK(host == "db.example");
  CHECK(port == 5432);
  CHECK(split_host_port("[2001:db8::1]:1", host, port));
  CHECK(host == "2001:db8::1");
  CHECK(port == 1);
  CHECK_FALSE(split_host_port("2001:db8::1", host, port));
  CHECK_FALSE(split_host_port("db.example", host, port));
}

TEST_CASE("the kernel's forms of one IPv4 address are one endpoint", "[os]") {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(80);
  ::inet_pton(AF_INET, "192.0.2.7", &v4.sin_addr);
  sockaddr_in6 mapped{};
  mapped.sin6_family = AF_INET6;
  mapped.sin6_port = htons(80);
  ::inet_pton(AF_INET6, "::ffff:192.0.2.7", &mapped.sin6_addr);
  const auto one = IpEndpoint::from_sockaddr(reinterpret_cast<sockaddr&>(v4));
  const auto two = IpEndpoint::from_sockaddr(reinterpret_cast<sockaddr&>(mapped));
  CHECK(one == two);
  CHECK(one.to_string() == "192.0.2.7:80");
  CHECK(one.ip_string() == "192.0.2.7");
}

TEST_CASE("a peer without an address has family none", "[os]") {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  const auto endpoint = IpEndpoint::from_sockaddr(reinterpret_cast<sockaddr&>(name));
  CHECK(endpoint.family == IpEndpoint::Family::none);
  CHECK(endpoint.to_string() == "unix:");
}

TEST_CASE("wildcard, loopback, unix and abstract addresses are told apart", "[os]") {
  const struct {
    const char* text;
    bool is_wildcard, is_loopback, is_unix, is_abstract;
  } rows[] = {
      {"0.0.0.0:1", true, false, false, false},    {"[::]:1", true, false, false, false},
      {"127.0.0.1:1", false, true, false, false},  {"127.9.9.9:1", false, true, false, false},
      {"128.0.0.1:1", false, false, false, false}, {"[::1]:1", false, true, false, false},
      {"[::2]:1", false, false, false, false},     {"[1::1]:1", false, false, false, false},
      {"unix:/a", false, true, true, false},       {"unix:@a", false, true, true, true},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const SocketAddress address = parsed(row.text);
    CHECK(address.is_wildcard() == row.is_wildcard);
    CHECK(address.is_loopback() == row.is_loopback);
    CHECK(address.is_unix() == row.is_unix);
    CHECK(address.is_abstract() == row.is_abstract);
  }
}

TEST_CASE("nobody can be connected to at a wildcard, multicast, broadcast, or without a network",
          "[os]") {
  for (const char* text :
       {"0.0.0.0:80", "[::]:80", "224.0.0.1:80", "239.255.255.255:80", "255.255.255.255:80",
        "[ff02::1]:80", "[::ffff:0.0.0.0]:80", "[fe80::1]:80", "[febf::1]:80"}) {
    CAPTURE(text);
    CHECK_FALSE(parsed(text).is_dialable());
  }
  for (const char* text :
       {"10.0.0.1:80", "127.0.0.1:80", "240.0.0.1:80", "255.255.255.254:80", "[::1]:80",
        "[fd00::1]:80", "[fec0::1]:80", "[fe80::1%lo]:80", "unix:/a"}) {
    CAPTURE(text);
    CHECK(parsed(text).is_dialable());
  }
}

TEST_CASE("a name resolves to its addresses with the port, without duplicates", "[os]") {
  const auto found = resolve("localhost", 81);
  REQUIRE(found.has_value());
  REQUIRE_FALSE(found->empty());
  for (std::size_t i = 0; i < found->size(); ++i) {
    CHECK((*found)[i].port == 81);
    for (std::size_t j = 0; j < i; ++j) CHECK((*found)[i] != (*found)[j]);
  }
  const auto literal = resolve("192.0.2.1", 9);
  REQUIRE(literal.has_value());
  REQUIRE(literal->size() == 1);
  CHECK(literal->front().to_string() == "192.0.2.1:9");
}

TEST_CASE("a name that cannot be one is an error sentence", "[os]") {
  const auto found = resolve("no such name.invalid", 1);
  REQUIRE(found.has_error());
  CHECK_FALSE(found.error().empty());
}

}  // namespace penstock::os
