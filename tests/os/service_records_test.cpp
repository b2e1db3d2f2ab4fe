#include "os/service_records.hpp"

#include <catch2/catch.hpp>

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

}  // namespace

TEST_CASE("SRV records are read with the smallest TTL of the answer", "[os]") {
  const auto parsed = parse_service_records(answer());
  REQUIRE(parsed);
  CHECK(parsed->ttl_seconds == 30);
  REQUIRE(parsed->records.size() == 2);
  CHECK(parsed->records[0] ==
        ServiceRecord{.target = "a.test", .port = 5000, .priority = 1, .weight = 2});
  CHECK(parsed->records[1] ==
        ServiceRecord{.target = "b.test", .port = 80, .priority = 3, .weight = 0});
}

TEST_CASE("an SRV answer that is cut anywhere is none", "[os]") {
  const Bytes whole = answer();
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes)
    CHECK_FALSE(
        parse_service_records(Bytes(whole.begin(), whole.begin() + static_cast<long>(bytes))));
}

TEST_CASE("no changed byte of an SRV answer does harm", "[os]") {
  for (std::size_t i = 0; i < answer().size(); ++i) {
    for (int byte = 0; byte < 256; ++byte) {
      Bytes changed = answer();
      changed[i] = static_cast<unsigned char>(byte);
      const auto parsed = parse_service_records(changed);
      REQUIRE((!parsed || parsed->records.size() <= 4));
    }
  }
}

}  // namespace penstock::os
