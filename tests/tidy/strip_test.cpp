#include "tidy/strip.hpp"
#include "catch.hpp"

namespace penstock::tidy {

TEST_CASE("comments are blanked and columns stay", "[tidy]") {
  REQUIRE(strip_prose("int a; // why\nint b;") == "int a;       \nint b;");
  REQUIRE(strip_prose("a /* x\ny */ b") == "a     \n     b");
}

TEST_CASE("the insides of literals are blanked", "[tidy]") {
  REQUIRE(strip_prose(R"(f("a // \" b", 'c');)") == R"(f("         ", ' ');)");
  REQUIRE(strip_prose("g(R\"x(a \" {)x\");") == "g(R\"         \");");
  REQUIRE(strip_prose("h(u8\"{\");") == "h(u8\" \");");
}

TEST_CASE("a digit separator opens no literal", "[tidy]") {
  REQUIRE(strip_prose("int a = 10'000; int b = 0x1'f;") == "int a = 10'000; int b = 0x1'f;");
}

}  // namespace penstock::tidy
