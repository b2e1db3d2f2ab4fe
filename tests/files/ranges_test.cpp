#include "files/ranges.hpp"

#include "base/limits.hpp"
#include "catch.hpp"

namespace penstock::files {

namespace {

using RangeAnswer = Ranges::Answer;
using Parts = std::vector<ByteRange>;

Parts parts_of(std::string_view value, std::uint64_t size) {
  const Ranges ranges = ranges_of(value, size);
  REQUIRE(ranges.answer == RangeAnswer::parts);
  return ranges.parts;
}

}  // namespace

TEST_CASE("a range is first and last, the rest from first on, or the last bytes", "[files]") {
  CHECK(parts_of("bytes=0-99", 1000) == Parts{{0, 100}});
  CHECK(parts_of("bytes=999-999", 1000) == Parts{{999, 1000}});
  CHECK(parts_of("bytes=100-", 1000) == Parts{{100, 1000}});
  CHECK(parts_of("bytes=-100", 1000) == Parts{{900, 1000}});
  CHECK(parts_of("bytes=-5000", 1000) == Parts{{0, 1000}});
  CHECK(parts_of("bytes=500-5000", 1000) == Parts{{500, 1000}});
  CHECK(parts_of("bytes=0-99999999999999999999999", 10) == Parts{{0, 10}});
  CHECK(parts_of("BYTES=0-0", 10) == Parts{{0, 1}});
  CHECK(parts_of("bytes=0-18446744073709551615", UINT64_MAX) == Parts{{0, UINT64_MAX}});
}

TEST_CASE("several come in the order in which they were asked for, those outside left out",
          "[files]") {
  CHECK(parts_of("bytes=0-1,4-5 , ,-2", 100) == Parts{{0, 2}, {4, 6}, {98, 100}});
  CHECK(parts_of("bytes=50-59,0-9", 100) == Parts{{50, 60}, {0, 10}});
  CHECK(parts_of("bytes=200-,3-3", 100) == Parts{{3, 4}});
}

TEST_CASE("where nothing lies within the file the answer is 416", "[files]") {
  for (const char* value : {"bytes=100-", "bytes=100-200,300-", "bytes=-0"}) {
    CAPTURE(value);
    CHECK(ranges_of(value, 100).answer == RangeAnswer::unsatisfiable);
  }
  CHECK(ranges_of("bytes=0-", 0).answer == RangeAnswer::unsatisfiable);
  CHECK(ranges_of("bytes=-5", 0).answer == RangeAnswer::unsatisfiable);
}

TEST_CASE("what is not understood is answered by the whole file", "[files]") {
  for (const char* value :
       {"", "bytes", "bytes=", "bytes=,", "bytes=x", "bytes=1", "bytes=5-1", "bytes=-", "bytes=--1",
        "bytes=1-2-3", "bytes=0x1-2", "bytes=+1-2", "bytes=1 -2", "lines=0-1", "bytes =0-1",
        "bytes=0-1;2-3", "bytes=0-1,x"}) {
    CAPTURE(value);
    CHECK(ranges_of(value, 100).answer == RangeAnswer::whole);
  }
}

TEST_CASE("more than the file holds, or too many parts, is answered by the whole file", "[files]") {
  CHECK(ranges_of("bytes=0-,0-0", 100).answer == RangeAnswer::whole);
  CHECK(parts_of("bytes=0-49,50-", 100).size() == 2);
  std::string many = "bytes=0-0";
  for (std::size_t i = 1; i < base::file_ranges_max; ++i) many += ",0-0";
  CHECK(parts_of(many, 100).size() == base::file_ranges_max);
  CHECK(ranges_of(many + ",0-0", 100).answer == RangeAnswer::whole);
}

TEST_CASE("a part says where it lies", "[files]") {
  CHECK(content_range({0, 100}, 1234) == "bytes 0-99/1234");
  CHECK(content_range(1234) == "bytes */1234");
}

}  // namespace penstock::files
