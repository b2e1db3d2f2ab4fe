#include "health/words.hpp"

#include <boost/asio/error.hpp>
#include <cerrno>
#include <chrono>

#include "health/tls_errors.hpp"
#include "upstream/live_record.hpp"

namespace penstock::health {

namespace {

namespace asio = boost::asio;

upstream::CheckResult result_from(int error_number) noexcept {
  if (error_number == ECONNRESET || error_number == EPIPE) return upstream::CheckResult::reset;
  switch (upstream::connect_failure_from(error_number)) {
    case upstream::ConnectFailure::refused: return upstream::CheckResult::refused;
    case upstream::ConnectFailure::timeout: return upstream::CheckResult::timeout;
    // Whoever has no route there cannot send connections there either.
    case upstream::ConnectFailure::no_route:
    case upstream::ConnectFailure::unreachable: return upstream::CheckResult::unreachable;
    case upstream::ConnectFailure::no_port:
    case upstream::ConnectFailure::not_permitted:
    case upstream::ConnectFailure::local: return upstream::CheckResult::local;
    case upstream::ConnectFailure::other: break;
  }
  return upstream::CheckResult::other;
}

// "Connection refused" stands within a sentence.
std::string lower_first(std::string text) {
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] + 32);
  return text;
}

upstream::CheckOutcome failed_tls(const base::ErrorCode& error) {
  if (is_cut_short(error))
    return {upstream::CheckResult::tls_failed, "TLS: closed during the handshake"};
  return {upstream::CheckResult::tls_failed, std::string{"TLS: "}.append(error.message())};
}

// Who is silent may hang; who said something else is well, and means something else.
upstream::CheckOutcome too_late(const upstream::HealthSpec& spec, std::string_view said) {
  const std::string within = " within " + short_duration(spec.timeout);
  if (said.empty()) return {upstream::CheckResult::timeout, "no answer" + within};
  const std::string heard = "; it said " + first_bytes_of(said);
  if (spec.type == upstream::CheckType::send_expect)
    return {upstream::CheckResult::wrong_answer, "not the expected answer" + within + heard};
  return {upstream::CheckResult::timeout, "no whole answer" + within + heard};
}

}  // namespace

std::string short_duration(base::Duration duration) {
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  const auto whole = std::chrono::duration_cast<milliseconds>(duration);
  if (whole % seconds{1} == milliseconds{0}) return std::to_string(whole / seconds{1}).append("s");
  return std::to_string(whole.count()).append("ms");
}

std::string first_bytes_of(std::string_view said) {
  constexpr std::size_t shown_max = 48;
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text{"'"};
  for (const char c : said.substr(0, shown_max)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\r' || c == '\n')
      text += c == '\r' ? "\\r" : "\\n";
    else if (byte < 0x20 || byte >= 0x7f)
      text.append("\\x").append({digits[byte >> 4], digits[byte & 15]});
    else
      text += c;
  }
  return text += said.size() > shown_max ? "...'" : "'";
}

upstream::CheckOutcome failed_check(const base::ErrorCode& error, bool expired,
                                    const upstream::HealthSpec& spec, std::string_view said) {
  if (expired) return too_late(spec, said);
  const std::string after = said.empty() ? std::string{} : "; it had said " + first_bytes_of(said);
  if (error == asio::error::eof)
    return {upstream::CheckResult::wrong_answer,
            said.empty() ? "closed without an answer" : "closed without the answer" + after};
  if (is_of_tls(error)) return failed_tls(error);
  // A unix socket answers so at once.
  if (error == base::error_from(EAGAIN))
    return {upstream::CheckResult::refused, "its accept queue is full"};
  upstream::CheckOutcome outcome{result_from(error.value()), lower_first(error.message()) + after};
  if (outcome.result == upstream::CheckResult::local) outcome.why.insert(0, "on this machine: ");
  return outcome;
}

}  // namespace penstock::health
