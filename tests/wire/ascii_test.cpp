#include "wire/ascii.hpp"

#include "catch.hpp"

namespace penstock::wire {

TEST_CASE("only the letters of ASCII have two cases", "[wire]") {
  CHECK(to_lower('A') == 'a');
  CHECK(to_lower('Z') == 'z');
  for (const char c : {'a', '@', '[', '0', '\0', '\xc4'}) CHECK(to_lower(c) == c);
  CHECK(equals_ignoring_case("GZip", "gzip"));
  CHECK_FALSE(equals_ignoring_case("gzip", "gzi"));
  CHECK_FALSE(equals_ignoring_case("gzi", "gzip"));
}

TEST_CASE("blanks and tabs go from both ends", "[wire]") {
  CHECK(trim(" \t a b\t ") == "a b");
  CHECK(trim(" \t").empty());
  CHECK(trim("").empty());
  CHECK(trim("\ra") == "\ra");
}

}  // namespace penstock::wire
