#include "upstream/health_words.hpp"

#include <boost/asio/error.hpp>
#include <catch2/catch.hpp>
#include <cerrno>

using namespace penstock;
using upstream::CheckResult;

namespace {

constexpr std::chrono::seconds timeout{1};

CheckResult result_of(int error_number) {
  return upstream::failed_check(base::error_from(error_number), false, timeout).result;
}

std::string why_of(int error_number) {
  return upstream::failed_check(base::error_from(error_number), false, timeout).why;
}

}  // namespace

TEST_CASE("errors of the network become results", "[upstream]") {
  CHECK(result_of(ECONNREFUSED) == CheckResult::refused);
  CHECK(result_of(ENOENT) == CheckResult::refused);
  CHECK(result_of(ECONNRESET) == CheckResult::reset);
  CHECK(result_of(EPIPE) == CheckResult::reset);
  CHECK(result_of(ETIMEDOUT) == CheckResult::timeout);
  CHECK(result_of(EHOSTUNREACH) == CheckResult::unreachable);
  CHECK(result_of(EPROTO) == CheckResult::other);
  CHECK(why_of(EHOSTUNREACH) == "no route to host");
}

TEST_CASE("what this machine lacks is called local", "[upstream]") {
  CHECK(result_of(EMFILE) == CheckResult::local);
  CHECK(result_of(EADDRNOTAVAIL) == CheckResult::local);
  CHECK(why_of(EMFILE) == "on this machine: too many open files");
}

TEST_CASE("a check that ran out of time says so, whatever the socket says", "[upstream]") {
  const auto outcome = upstream::failed_check(boost::asio::error::operation_aborted, true, timeout);
  CHECK(outcome.result == CheckResult::timeout);
  CHECK(outcome.why == "no answer within 1s");
  CHECK(upstream::short_duration(std::chrono::milliseconds{1500}) == "1500ms");
  CHECK(upstream::short_duration(std::chrono::minutes{1}) == "60s");
}
