#include "health/check.hpp"

#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

#include "base/limits.hpp"
#include "base/result.hpp"
#include "health/link.hpp"
#include "health/tls.hpp"
#include "health/words.hpp"
#include "wire/http_status.hpp"
#include "wire/proxy_header.hpp"

namespace penstock::health {

namespace {

namespace asio = boost::asio;
using Progress = wire::HttpStatusLine::Progress;

// Empty as long as more must come. `scanned` is how much was looked at before.
std::optional<upstream::CheckOutcome> judge_text(const upstream::HealthSpec& spec,
                                                 std::string_view answer, std::size_t scanned) {
  const std::size_t overlap = spec.expect.size() - 1;
  const std::size_t from = scanned > overlap ? scanned - overlap : 0;
  if (answer.find(spec.expect, from) == std::string_view::npos) return std::nullopt;
  return upstream::CheckOutcome{upstream::CheckResult::passed, "answered as expected"};
}

// RFC 9110, 15.2: any number of interim answers may come before the final one. After 101 there is
// no HTTP any more.
bool is_interim(const wire::HttpStatusLine& line) noexcept {
  return line.progress == Progress::complete && line.status < 200 && line.status != 101;
}

// Where the answer after the first one begins; npos as long as its head has not ended. Bare LFs are
// taken, as in the status line.
std::size_t end_of_head(std::string_view answer) noexcept {
  const auto strict = answer.find("\n\r\n");
  const auto lenient = answer.find("\n\n");
  if (strict < lenient) return strict + 3;
  return lenient == std::string_view::npos ? lenient : lenient + 2;
}

std::optional<upstream::CheckOutcome> judge_http(const upstream::HealthSpec& spec,
                                                 std::string_view answer) {
  wire::HttpStatusLine line = wire::parse_http_status(answer);
  while (is_interim(line)) {
    const std::size_t next = end_of_head(answer);
    if (next == std::string_view::npos) return std::nullopt;
    answer.remove_prefix(next);
    line = wire::parse_http_status(answer);
  }
  if (line.progress == Progress::incomplete) return std::nullopt;
  if (line.progress == Progress::bad)
    return upstream::CheckOutcome{upstream::CheckResult::wrong_answer,
                                  "the answer is not HTTP/1: " + first_bytes_of(answer)};
  upstream::CheckOutcome outcome{upstream::CheckResult::wrong_answer, "HTTP status "};
  outcome.why += std::to_string(line.status);
  for (const upstream::StatusRange& range : spec.status)
    if (line.status >= range.first && line.status <= range.last)
      outcome.result = upstream::CheckResult::passed;
  return outcome;
}

asio::awaitable<upstream::CheckOutcome> judge_answer(HealthLink& link,
                                                     const upstream::HealthSpec& spec) {
  std::string answer;
  while (answer.size() < base::health_answer_max) {
    const std::size_t scanned = answer.size();
    const base::ErrorCode error = co_await link.receive(answer);
    if (error) co_return failed_check(error, link.expired(), spec, answer);
    const std::string_view seen = std::string_view{answer}.substr(0, base::health_answer_max);
    std::optional<upstream::CheckOutcome> outcome = spec.type == upstream::CheckType::http
                                                        ? judge_http(spec, seen)
                                                        : judge_text(spec, seen, scanned);
    if (outcome) co_return std::move(*outcome);
  }
  co_return upstream::CheckOutcome{
      upstream::CheckResult::wrong_answer,
      "64 KiB came without what was expected; they begin with " + first_bytes_of(answer)};
}

std::string first_bytes(const upstream::HealthSpec& spec, const os::SocketAddress& address) {
  std::string bytes = spec.proxy_v2 ? wire::proxy_v2_local() : std::string{};
  if (spec.type == upstream::CheckType::send_expect) bytes += spec.send;
  if (spec.type == upstream::CheckType::http) bytes += health_request(spec, address);
  return bytes;
}

}  // namespace

os::SocketAddress checked_address(const os::SocketAddress& endpoint,
                                  const upstream::HealthSpec& spec) {
  if (spec.port == 0 || endpoint.is_unix()) return endpoint;
  os::IpEndpoint ip = endpoint.ip();
  ip.port = spec.port;
  return os::SocketAddress{ip};
}

std::string health_request(const upstream::HealthSpec& spec, const os::SocketAddress& address) {
  std::string host = spec.host;
  // A zone means nothing to others (RFC 6874), nor does the path of a unix socket.
  if (host.empty()) {
    os::IpEndpoint ip = address.ip();
    ip.scope = 0;
    host = address.is_unix() ? "localhost" : ip.to_string();
  }
  std::string request{"GET "};
  request.append(spec.path).append(" HTTP/1.1\r\nHost: ").append(host);
  request.append("\r\nUser-Agent: penstock-health-check\r\nAccept: */*\r\n");
  request.append("Connection: close\r\n\r\n");
  return request;
}

asio::awaitable<upstream::CheckOutcome> check_health(
    std::shared_ptr<HealthLink> link, std::shared_ptr<const upstream::HealthSpec> spec,
    os::SocketAddress address, HealthTls& tls) {
  base::ErrorCode error = co_await link->connect(address, spec->source, spec->timeout);
  const std::string bytes = first_bytes(*spec, address);
  if (!error && !bytes.empty()) error = co_await link->send(bytes);
  if (!error && spec->type == upstream::CheckType::tls)
    error = co_await tls.shake_hands(*link, spec->sni);
  if (error) co_return failed_check(error, link->expired(), *spec);
  switch (spec->type) {
    case upstream::CheckType::tcp:
      co_return upstream::CheckOutcome{upstream::CheckResult::passed, "connected"};
    case upstream::CheckType::tls:
      co_return upstream::CheckOutcome{upstream::CheckResult::passed,
                                       "the TLS handshake ended well"};
    case upstream::CheckType::send_expect:
    case upstream::CheckType::http: break;
  }
  co_return co_await judge_answer(*link, *spec);
}

}  // namespace penstock::health
