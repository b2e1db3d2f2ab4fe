#include "health/words.hpp"

#include <boost/asio/error.hpp>
#include <cerrno>

#include "catch.hpp"

using namespace penstock;
using upstream::CheckResult;

namespace {

upstream::HealthSpec spec_of(upstream::CheckType type) {
  upstream::HealthSpec spec;
  spec.type = type;
  return spec;
}

CheckResult result_of(int error_number) {
  return health::failed_check(base::error_from(error_number), false, {}).result;
}

std::string why_of(int error_number) {
  return health::failed_check(base::error_from(error_number), false, {}).why;
}

}  // namespace

TEST_CASE("errors of the network become results", "[health]") {
  CHECK(result_of(ECONNREFUSED) == CheckResult::refused);
  CHECK(result_of(ENOENT) == CheckResult::refused);
  CHECK(result_of(ECONNRESET) == CheckResult::reset);
  CHECK(result_of(EPIPE) == CheckResult::reset);
  CHECK(result_of(ETIMEDOUT) == CheckResult::timeout);
  CHECK(result_of(EHOSTUNREACH) == CheckResult::unreachable);
  CHECK(result_of(EPROTO) == CheckResult::other);
  CHECK(why_of(EHOSTUNREACH) == "no route to host");
}

TEST_CASE("what this machine lacks is called local", "[health]") {
  CHECK(result_of(EMFILE) == CheckResult::local);
  CHECK(result_of(EADDRNOTAVAIL) == CheckResult::local);
  CHECK(why_of(EMFILE) == "on this machine: too many open files");
}

TEST_CASE("a check that ran out of time says so, whatever the socket says", "[health]") {
  const auto outcome = health::failed_check(boost::asio::error::operation_aborted, true, {});
  CHECK(outcome.result == CheckResult::timeout);
  CHECK(outcome.why == "no answer within 1s");
  CHECK(health::short_duration(std::chrono::milliseconds{1500}) == "1500ms");
  CHECK(health::short_duration(std::chrono::minutes{1}) == "60s");
}

TEST_CASE("what an endpoint said stands in the reason, whatever ended the check", "[health]") {
  using upstream::CheckType;
  const auto late = [](CheckType type, std::string_view said) {
    return health::failed_check(boost::asio::error::operation_aborted, true, spec_of(type), said);
  };
  const auto other = late(CheckType::send_expect, "-NOAUTH Authentication required.\r\n");
  CHECK(other.result == CheckResult::wrong_answer);
  CHECK(other.why ==
        "not the expected answer within 1s; it said '-NOAUTH Authentication required.\\r\\n'");
  const auto slow = late(CheckType::http, "HTTP/1.1 2");
  CHECK(slow.result == CheckResult::timeout);
  CHECK(slow.why == "no whole answer within 1s; it said 'HTTP/1.1 2'");
  const auto closed =
      health::failed_check(boost::asio::error::eof, false, spec_of(CheckType::send_expect), "-E");
  CHECK(closed.result == CheckResult::wrong_answer);
  CHECK(closed.why == "closed without the answer; it had said '-E'");
  const auto reset = health::failed_check(base::error_from(ECONNRESET), false, {}, "-E");
  CHECK(reset.result == CheckResult::reset);
  CHECK(reset.why == "connection reset by peer; it had said '-E'");
}

TEST_CASE("what an endpoint said is shown in printable bytes, and not much of it", "[health]") {
  CHECK(health::first_bytes_of("") == "''");
  CHECK(health::first_bytes_of(std::string_view{"\x1b[2J\0\xff\t", 7}) ==
        R"('\x1b[2J\x00\xff\x09')");
  CHECK(health::first_bytes_of(std::string(48, 'x')) == '\'' + std::string(48, 'x') + '\'');
  CHECK(health::first_bytes_of(std::string(49, 'x')) == '\'' + std::string(48, 'x') + "...'");
}
