#include "os/dns_records.hpp"

#include "catch.hpp"

namespace penstock::os {

namespace {

using Bytes = std::vector<unsigned char>;

void add(Bytes& bytes, const Bytes& more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
}

// An answer to "_db.test SRV": an alias with TTL 30, then records that point back to the question.
Bytes answer() {
  Bytes bytes{0, 7, 0x81, 0x80, 0, 1, 0, 4, 0, 0, 0, 0};
  add(bytes, {3, '_', 'd', 'b', 4, 't', 'e', 's', 't', 0, 0, 33, 0, 1});
  add(bytes, {0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 30, 0, 4, 1, 'x', 0xc0, 16});
  add(bytes, {0xc0, 12, 0, 33, 0, 1, 0, 0, 1, 0, 0, 10, 0, 1, 0, 2, 0x13, 0x88, 1, 'a', 0xc0, 16});
  add(bytes, {0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 90, 0, 10, 0, 3, 0, 0, 0, 80, 1, 'b', 0xc0, 16});
  add(bytes, {0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 90, 0, 7, 0, 0, 0, 0, 0, 0, 0});  // "."
  return bytes;
}

// An answer to "db.test AAAA": two of those, and an A record beside them.
Bytes addresses() {
  Bytes bytes{0, 7, 0x81, 0x80, 0, 1, 0, 3, 0, 0, 0, 0};
  add(bytes, {2, 'd', 'b', 4, 't', 'e', 's', 't', 0, 0, 28, 0, 1});
  add(bytes, {0xc0, 12, 0, 28, 0, 1, 0, 0, 0, 9, 0, 16, 0xfd, 0, 0, 0, 0, 0});
  add(bytes, {0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
  add(bytes, {0xc0, 12, 0, 28, 0, 1, 0, 0, 0, 9, 0, 16, 0, 0, 0, 0, 0, 0});
  add(bytes, {0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 2});
  add(bytes, {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 10, 0, 0, 1});
  return bytes;
}

}  // namespace

TEST_CASE("only records of the type that was asked for are addresses", "[os]") {
  const auto six = parse_dns_records(addresses(), DnsType::aaaa);
  REQUIRE(six);
  REQUIRE(six->addresses.size() == 2);
  CHECK(six->addresses[0].ip_string() == "fd00::1");
  CHECK(six->addresses[1].ip_string() == "10.0.0.2");  // folded
  CHECK(six->ttl_seconds == 5);
  const auto four = parse_dns_records(addresses(), DnsType::a);
  REQUIRE(four);
  REQUIRE(four->addresses.size() == 1);
  CHECK(four->addresses[0].ip_string() == "10.0.0.1");
  Bytes wrong = addresses();
  wrong[wrong.size() - 5] = 3;  // the length of an IPv4 address
  wrong.pop_back();
  CHECK(parse_dns_records(wrong, DnsType::aaaa));
  CHECK_FALSE(parse_dns_records(wrong, DnsType::a));
}

TEST_CASE("SRV records are read with the smallest TTL of the answer", "[os]") {
  const auto parsed = parse_dns_records(answer(), DnsType::srv);
  REQUIRE(parsed);
  CHECK(parsed->ttl_seconds == 30);
  REQUIRE(parsed->services.size() == 2);
  CHECK(parsed->services[0] ==
        ServiceRecord{.target = "a.test", .port = 5000, .priority = 1, .weight = 2});
  CHECK(parsed->services[1] ==
        ServiceRecord{.target = "b.test", .port = 80, .priority = 3, .weight = 0});
}

TEST_CASE("an SRV answer that is cut anywhere is none", "[os]") {
  const Bytes whole = answer();
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes)
    CHECK_FALSE(parse_dns_records(Bytes(whole.begin(), whole.begin() + static_cast<long>(bytes)),
                                  DnsType::srv));
}

TEST_CASE("no changed byte of an SRV answer does harm", "[os]") {
  for (std::size_t i = 0; i < answer().size(); ++i) {
    for (int byte = 0; byte < 256; ++byte) {
      Bytes changed = answer();
      changed[i] = static_cast<unsigned char>(byte);
      const auto parsed = parse_dns_records(changed, DnsType::srv);
      REQUIRE((!parsed || parsed->services.size() <= 4));
    }
  }
}

}  // namespace penstock::os
