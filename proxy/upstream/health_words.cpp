#include "upstream/health_words.hpp"

#include <boost/asio/error.hpp>
#include <cerrno>
#include <chrono>

#include "upstream/health_tls_errors.hpp"
#include "upstream/live_record.hpp"

namespace penstock::upstream {

namespace {

namespace asio = boost::asio;

CheckResult result_from(int error_number) noexcept {
  if (error_number == ECONNRESET || error_number == EPIPE) return CheckResult::reset;
  switch (connect_failure_from(error_number)) {
    case ConnectFailure::refused: return CheckResult::refused;
    case ConnectFailure::timeout: return CheckResult::timeout;
    // Whoever has no route there cannot send connections there either.
    case ConnectFailure::no_route:
    case ConnectFailure::unreachable: return CheckResult::unreachable;
    case ConnectFailure::no_port:
    case ConnectFailure::not_permitted:
    case ConnectFailure::local: return CheckResult::local;
    case ConnectFailure::other: break;
  }
  return CheckResult::other;
}

// "Connection refused" stands within a sentence.
std::string lower_first(std::string text) {
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] + 32);
  return text;
}

CheckOutcome failed_tls(const base::ErrorCode& error) {
  if (is_cut_short(error)) return {CheckResult::tls_failed, "TLS: closed during the handshake"};
  return {CheckResult::tls_failed, std::string{"TLS: "}.append(error.message())};
}

}  // namespace

std::string short_duration(base::Duration duration) {
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  const auto whole = std::chrono::duration_cast<milliseconds>(duration);
  if (whole % seconds{1} == milliseconds{0}) return std::to_string(whole / seconds{1}).append("s");
  return std::to_string(whole.count()).append("ms");
}

CheckOutcome failed_check(const base::ErrorCode& error, bool expired, base::Duration timeout) {
  if (expired)
    return {CheckResult::timeout, std::string{"no answer within "}.append(short_duration(timeout))};
  if (error == asio::error::eof) return {CheckResult::wrong_answer, "closed without the answer"};
  if (is_of_tls(error)) return failed_tls(error);
  // A unix socket answers so at once.
  if (error == base::error_from(EAGAIN)) return {CheckResult::refused, "its accept queue is full"};
  CheckOutcome outcome{result_from(error.value()), lower_first(error.message())};
  if (outcome.result == CheckResult::local) outcome.why.insert(0, "on this machine: ");
  return outcome;
}

}  // namespace penstock::upstream
