#include "catch.hpp"

#include "tidy/rules.hpp"

namespace penstock::tidy {

namespace {

SourceFile header(const std::string& name, const std::string& target) {
  return make_file("proxy/" + name, "#pragma once\n#include \"" + target + "\"\n");
}

SourceFile of_lines(const std::string& path, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += "int f();\n";
  return make_file(path, text);
}

}  // namespace

TEST_CASE("a circle of includes is found, of two as of three", "[tidy]") {
  CHECK(includes_without_circles({header("io/a.hpp", "io/b.hpp"), header("io/b.hpp", "io/a.hpp")})
            .size() == 1);
  const auto found =
      includes_without_circles({header("io/a.hpp", "io/b.hpp"), header("io/b.hpp", "os/c.hpp"),
                                header("os/c.hpp", "io/a.hpp")});
  REQUIRE(found.size() == 1);
  CHECK(found.front().path == "proxy/os/c.hpp");
  CHECK(includes_without_circles({header("io/a.hpp", "io/a.hpp")}).size() == 1);
}

TEST_CASE("includes that meet again below are no circle", "[tidy]") {
  CHECK(includes_without_circles({header("io/a.hpp", "os/c.hpp"), header("io/b.hpp", "os/c.hpp"),
                                  header("os/c.hpp", "base/d.hpp")})
            .empty());
}

TEST_CASE("a room that is too large is found, but for os/", "[tidy]") {
  CHECK(small_rooms({of_lines("proxy/io/a.cpp", room_lines_max)}).empty());
  CHECK(small_rooms({of_lines("proxy/io/a.cpp", room_lines_max), of_lines("proxy/io/b/c.hpp", 1)})
            .size() == 1);
  CHECK(small_rooms({of_lines("proxy/io/a.cpp", room_lines_max), of_lines("proxy/wire/c.hpp", 1)})
            .empty());
  CHECK(small_rooms({of_lines("proxy/os/a.cpp", 2 * room_lines_max)}).empty());
}

}  // namespace penstock::tidy
