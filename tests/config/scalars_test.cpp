#include "config/scalars.hpp"

#include "catch.hpp"

#include "base/sizes.hpp"

namespace penstock::config {

TEST_CASE("durations have a unit and keep their exact value", "[config]") {
  base::Duration value{-1};
  CHECK(parse_duration("1us", value).empty());
  CHECK(value == std::chrono::microseconds{1});
  CHECK(parse_duration("250ms", value).empty());
  CHECK(value == std::chrono::milliseconds{250});
  CHECK(parse_duration("90m", value).empty());
  CHECK(value == std::chrono::minutes{90});
  CHECK(parse_duration("1000000h", value).empty());
  CHECK(value == duration_max);
  CHECK_FALSE(parse_duration("1000001h", value).empty());
  CHECK(value == duration_max);
  for (const char* text :
       {"", " ", "s", "1", "1 s", " 1s", "1S", "1ns", "+1s", "00", "1s1s", "0x1s"})
    CHECK_FALSE(parse_duration(text, value).empty());
}

TEST_CASE("sizes are bytes, or have a binary unit", "[config]") {
  std::uint64_t value = 0;
  const std::uint64_t most = UINT64_MAX;
  CHECK(parse_size("7", 0, most, value).empty());
  CHECK(value == 7);
  CHECK(parse_size("7B", 0, most, value).empty());
  CHECK(value == 7);
  CHECK(parse_size("3GiB", 0, most, value).empty());
  CHECK(value == 3 * base::gibibyte);
  CHECK(parse_size("18446744073709551615", 0, most, value).empty());
  CHECK(value == most);
  for (const char* text : {"18446744073709551616", "17179869184GiB", "1K", "1kib", "-1", "01", ""})
    CHECK_FALSE(parse_size(text, 0, most, value).empty());
  CHECK(value == most);
}

TEST_CASE("integers are decimal, without a sign or a leading zero, within their bounds",
          "[config]") {
  std::uint64_t value = 0;
  CHECK(parse_integer("5", 1, 8, value).empty());
  CHECK(value == 5);
  for (const char* text : {"0", "9", "05", "+5", "5.0", "5 ", "0x5", "", "99999999999999999999"})
    CHECK_FALSE(parse_integer(text, 1, 8, value).empty());
  CHECK(value == 5);
}

TEST_CASE("a mode is octal and has no more than the nine permissions", "[config]") {
  unsigned value = 0;
  CHECK(parse_mode("0660", value).empty());
  CHECK(value == 0660);
  CHECK(parse_mode("777", value).empty());
  CHECK(value == 0777);
  CHECK(parse_mode("0", value).empty());
  CHECK(value == 0);
  for (const char* text : {"", "1777", "0o660", "668", "-1", "00660", "u+rw"})
    CHECK_FALSE(parse_mode(text, value).empty());
}

TEST_CASE("a share is an integer with a percent sign", "[config]") {
  double value = -1;
  CHECK(parse_percent("50%", value).empty());
  CHECK(value == 0.5);
  CHECK(parse_percent("0", value).empty());
  CHECK(value == 0.0);
  for (const char* text : {"50", "101%", "5.5%", "%", "", "-1%", "05%"})
    CHECK_FALSE(parse_percent(text, value).empty());
}

TEST_CASE("sizes and durations are shown in their largest whole unit", "[config]") {
  CHECK(size_text(0) == "0");
  CHECK(size_text(1000) == "1000");
  CHECK(size_text(64 * base::kibibyte) == "64KiB");
  CHECK(duration_text(std::chrono::hours{2}) == "2h");
  CHECK(duration_text(std::chrono::seconds{90}) == "90s");
  CHECK(duration_text(base::Duration{0}) == "0");
}

TEST_CASE("the nearest known word is suggested, and none where all are far", "[config]") {
  const std::vector<std::string> known{"bind", "backlog", "idle_timeout", "mode"};
  CHECK(base::suggestion("idle_timout", known) == "; did you mean 'idle_timeout'?");
  CHECK(base::suggestion("bnid", known) == "; did you mean 'bind'?");
  CHECK(base::suggestion("x", known).empty());
  CHECK(base::suggestion("upstream", known).empty());
  CHECK(base::suggestion(std::string(100'000, 'a'), known).empty());
}

TEST_CASE("the words of other proxies lead to ours, where ours may stand", "[config]") {
  CHECK(base::suggestion("leastconn", {"round_robin", "least_connections"}) ==
        "; did you mean 'least_connections'?");
  CHECK(base::suggestion("roundrobin", {"round_robin", "least_connections"}) ==
        "; did you mean 'round_robin'?");
  CHECK(base::suggestion("servers", {"endpoints", "balance"}) == "; did you mean 'endpoints'?");
  CHECK(base::suggestion("servers", {"balance"}).empty());
  bool flag = false;
  CHECK(parse_boolean("yes", flag) == "expected true or false, not 'yes'; did you mean 'true'?");
  CHECK(base::expected_one_of({"debug", "info", "warning", "error"}, "warn") ==
        "expected debug, info, warning or error, not 'warn'; did you mean 'warning'?");
  CHECK(base::expected_one_of({"tcp", "http", "tls"}, "https") ==
        "expected tcp, http or tls, not 'https'; did you mean 'tls'?");
  CHECK(base::expected_one_of({"tcp", "http", "tls"}, "httpp") ==
        "expected tcp, http or tls, not 'httpp'; did you mean 'http'?");
  CHECK(base::expected_one_of({"tcp", "http", "tls"}, "carrier pigeon") ==
        "expected tcp, http or tls, not 'carrier pigeon'");
}

}  // namespace penstock::config
