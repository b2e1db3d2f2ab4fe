#include "report/json_pieces.hpp"

#include <boost/json/parse.hpp>

#include "catch.hpp"

using namespace penstock;

TEST_CASE("a row is JSON, whatever its numbers are, and a fraction stays one", "[report]") {
  for (const double value : {0.0, 1.0, 0.25, 1e-7, 1e300, 123456789.0}) {
    std::string text;
    {
      report::JsonRow row{text};
      row.number("count", std::uint64_t{7});
      row.number("share", value);
      row.word("name", "a\"b");
    }
    CAPTURE(text);
    boost::system::error_code error;
    const auto parsed = boost::json::parse(text, error);
    REQUIRE_FALSE(error);
    CHECK(parsed.at("count").as_int64() == 7);
    CHECK(parsed.at("share").as_double() == value);
    CHECK(parsed.at("name").as_string() == "a\"b");
  }
}

TEST_CASE("a list of rows in pieces is one JSON object", "[report]") {
  const auto pieces = report::pieces_of_list("rows", 300, [](std::string& page, std::size_t i) {
    report::JsonRow row{page};
    row.number("i", std::uint64_t{i});
  });
  const auto parsed = boost::json::parse(base::text_of(pieces));
  REQUIRE(parsed.at("rows").as_array().size() == 300);
  CHECK(parsed.at("rows").as_array()[299].at("i").to_number<int>() == 299);
}
