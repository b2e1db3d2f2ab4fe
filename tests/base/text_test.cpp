#include "base/text.hpp"

#include "catch.hpp"

namespace penstock::base {

TEST_CASE("UTF-8 is known from bytes that only resemble it", "[base]") {
  using namespace std::string_view_literals;
  for (const auto text :
       {""sv, "plain"sv, "\0"sv, "\x1b[2J"sv, "\xc2\x9b"sv, "gr\xc3\xbc\xc3\x9f"sv,
        "\xe2\x82\xac"sv, "\xf0\x9f\x90\xa7"sv, "\xf4\x8f\xbf\xbf"sv})
    CHECK(is_utf8(text));
  for (const auto text : {"w\xff"
                          "b"sv,
                          "\x80"sv, "\xc3"sv, "\xc0\xaf"sv, "\xe0\x80\xaf"sv, "\xed\xa0\x80"sv,
                          "\xf4\x90\x80\x80"sv, "\xf0\x9f\x90"sv, "\xc3\x28"sv})
    CHECK_FALSE(is_utf8(text));
}

TEST_CASE("plain text is UTF-8 without anything that a terminal or a log obeys", "[base]") {
  using namespace std::string_view_literals;
  for (const auto text :
       {""sv, " a~"sv, "gr\xc3\xbc\xc3\x9f"sv, "\xc2\xa0"sv, "\xf0\x9f\x90\xa7"sv})
    CHECK(is_plain_text(text));
  for (const auto text : {"\0"sv, "a\nb"sv, "\x1b[2J"sv, "\x7f"sv, "\xc2\x80"sv,
                          "\xc2\x9b"
                          "2J"sv,
                          "\xc2\x9f"sv, "\xff"sv, "ok\t"sv})
    CHECK_FALSE(is_plain_text(text));
}

TEST_CASE("what is not plain text is shown byte by byte", "[base]") {
  using namespace std::string_view_literals;
  CHECK(printable("gr\xc3\xbc\xc3\x9f") == "gr\xc3\xbc\xc3\x9f");
  CHECK(printable("a\nb\0c\x7f"sv) == "a\\x0ab\\x00c\\x7f");
  CHECK(printable("w\xff!") == "w\\xff!");
  CHECK(printable("\xc2\x9b"
                  "2J") == "\\xc2\\x9b2J");
  CHECK(printable("\xe2\x82") == "\\xe2\\x82");
  CHECK(is_plain_text(printable("\xf0\x9f\xc2\x85\x1b\xed\xa0\x80")));
}

}  // namespace penstock::base
