#include "files/preconditions.hpp"

#include "catch.hpp"
#include "files/http_text.hpp"
#include "os/file.hpp"
#include "wire/http_request.hpp"

namespace penstock::files {

namespace {

constexpr std::int64_t modified = 784'111'777;  // Sun, 06 Nov 1994 08:49:37 GMT
constexpr const char* at_that_time = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr const char* a_second_before = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr const char* a_second_after = "Sun, 06 Nov 1994 08:49:38 GMT";
const Validators ours{.etag = "\"abc\"", .modified_seconds = modified};

struct Conditions {
  const char* if_match = "";
  const char* if_none_match = "";
  const char* if_modified_since = "";
  const char* if_unmodified_since = "";
  const char* range = "";
  const char* if_range = "";
};

wire::HttpRequest request_with(const Conditions& conditions) {
  wire::HttpRequest request;
  request.if_match = conditions.if_match;
  request.if_none_match = conditions.if_none_match;
  request.if_modified_since = conditions.if_modified_since;
  request.if_unmodified_since = conditions.if_unmodified_since;
  request.range = conditions.range;
  request.if_range = conditions.if_range;
  return request;
}

Condition condition(const Conditions& conditions) {
  return condition_of(request_with(conditions), ours);
}

bool takes_range(const char* if_range) {
  return range_applies(request_with({.range = "bytes=0-1", .if_range = if_range}), ours);
}

}  // namespace

TEST_CASE("the three forms of a date are read", "[files]") {
  CHECK(parse_http_date(at_that_time) == modified);
  CHECK(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT") == modified);
  CHECK(parse_http_date("Sun Nov  6 08:49:37 1994") == modified);
  CHECK(parse_http_date("Wednesday, 01-Jan-70 00:00:00 GMT") ==
        parse_http_date("Thu, 01 Jan 2070 00:00:00 GMT"));
  for (const std::int64_t seconds : {0L, 951'782'400L, 4'102'444'799L})
    CHECK(parse_http_date(http_date(seconds)) == seconds);
}

TEST_CASE("what is no date is none", "[files]") {
  for (const char* text :
       {"", "yesterday", "Sun, 06 Nov 1994 08:49:37", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
        "Sun, -6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 06 Nov 1994 08-49-37 GMT", "Sun, 6 Nov 1994 08:49:37 GMT"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_http_date(text).has_value());
  }
}

TEST_CASE("a tag changes with inode, size, both times and form", "[files]") {
  const os::FileStatus status{.size = 10,
                              .modified_seconds = 5,
                              .modified_nanoseconds = 7,
                              .changed_seconds = 17,
                              .changed_nanoseconds = 1,
                              .inode = 3,
                              .is_regular = true};
  const std::string tag = entity_tag(status);
  CHECK(tag == "\"3-a-5.7-11.1\"");
  auto other = status;
  other.inode = 4;
  CHECK(entity_tag(other) != tag);
  other = status;
  other.modified_nanoseconds = 8;
  CHECK(entity_tag(other) != tag);
  other = status;
  other.changed_nanoseconds = 2;
  CHECK(entity_tag(other) != tag);
  CHECK(entity_tag(status, "-gzip") == "\"3-a-5.7-11.1-gzip\"");
}

TEST_CASE("the date that is given out is the last of those known, and a second old", "[files]") {
  CHECK(modified_since_1970({.modified_seconds = 0, .changed_seconds = 50}, 0, 100) == 50);
  CHECK(modified_since_1970({.modified_seconds = 60, .changed_seconds = 50}, 0, 100) == 60);
  CHECK(modified_since_1970({.modified_seconds = 60, .changed_seconds = 50}, 70, 100) == 70);
  CHECK(modified_since_1970({.modified_seconds = 50, .changed_seconds = 100}, 0, 100) == 99);
  CHECK(modified_since_1970({.modified_seconds = 500, .changed_seconds = 50}, 0, 100) == 99);
}

TEST_CASE("If-None-Match compares weakly, and makes If-Modified-Since count for nothing",
          "[files]") {
  CHECK(condition({}) == Condition::holds);
  for (const char* known : {"\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "\"a,b\",W/\"abc\"", "*"}) {
    CAPTURE(known);
    CHECK(condition({.if_none_match = known}) == Condition::not_modified);
  }
  for (const char* unknown : {"\"ab\"", "abc", "\"abc", "W/abc", "\"a\" \"", "*, *"}) {
    CAPTURE(unknown);
    CHECK(condition({.if_none_match = unknown, .if_modified_since = at_that_time}) ==
          Condition::holds);
  }
}

TEST_CASE("If-Modified-Since holds unless it is the date that was given out", "[files]") {
  CHECK(condition({.if_modified_since = a_second_before}) == Condition::holds);
  CHECK(condition({.if_modified_since = at_that_time}) == Condition::not_modified);
  CHECK(condition({.if_modified_since = a_second_after}) == Condition::holds);
  CHECK(condition({.if_modified_since = "yesterday"}) == Condition::holds);
}

TEST_CASE("If-Match compares strongly, and makes If-Unmodified-Since count for nothing",
          "[files]") {
  CHECK(condition({.if_match = "\"abc\""}) == Condition::holds);
  CHECK(condition({.if_match = "*"}) == Condition::holds);
  CHECK(condition({.if_match = "W/\"abc\""}) == Condition::fails);
  CHECK(condition({.if_match = "\"x\""}) == Condition::fails);
  CHECK(condition({.if_match = "\"abc\"", .if_unmodified_since = a_second_before}) ==
        Condition::holds);
  CHECK(condition({.if_unmodified_since = a_second_before}) == Condition::fails);
  CHECK(condition({.if_unmodified_since = at_that_time}) == Condition::holds);
  CHECK(condition({.if_match = "\"x\"", .if_none_match = "\"abc\""}) == Condition::fails);
  CHECK(condition({.if_match = "\"abc\"", .if_none_match = "\"abc\""}) == Condition::not_modified);
}

TEST_CASE("a range counts only of the content that If-Range names", "[files]") {
  CHECK(takes_range(""));
  CHECK(takes_range("\"abc\""));
  CHECK_FALSE(takes_range("\"x\""));
  CHECK_FALSE(takes_range("W/\"abc\""));
  CHECK(takes_range(at_that_time));
  CHECK_FALSE(takes_range(a_second_after));
  CHECK_FALSE(takes_range("yesterday"));
  CHECK_FALSE(range_applies(request_with({.if_range = "\"abc\""}), ours));
}

}  // namespace penstock::files
