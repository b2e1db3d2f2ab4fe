#include "catch.hpp"

#include "tidy/rules.hpp"

namespace penstock::tidy {

namespace {

std::size_t missing_in(std::string_view text, const std::string& document = "docs/A.md") {
  return documents_name_what_is_there({make_file("proxy/relay/direction.hpp", "#pragma once\n"),
                                       make_file("tests/relay/direction_test.cpp", "\n"),
                                       make_file(document, text)})
      .size();
}

}  // namespace

TEST_CASE("a document that names a file that is not there is found", "[tidy]") {
  CHECK(missing_in("moved by `relay/pipe` and `relay/direction`\n") == 1);
  CHECK(missing_in("see `tests/relay/side_test.cpp`\n") == 1);
  CHECK(missing_in("the room `relay/engines/`\n") == 1);
}

TEST_CASE("a document may name files, folders, and files without their ending", "[tidy]") {
  CHECK(missing_in("`relay/direction`, `proxy/relay/direction.hpp`, `relay/`, `proxy/relay`\n") ==
        0);
  CHECK(missing_in("`tests/relay/direction_test`\n") == 0);
}

TEST_CASE("what is no path of the tree is none of a document's names", "[tidy]") {
  CHECK(missing_in("`multipart/byteranges`, `build/release/penstock`, `/relay/x`\n") == 0);
  CHECK(missing_in("once in `relay/pipe`\n", "docs/CHANGELOG.md") == 0);
}

}  // namespace penstock::tidy
