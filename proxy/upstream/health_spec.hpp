#pragma once
// Health checks as the configuration states them, and the words for what they find.
//
// What a check of each type proves:
//   tcp          The kernel of the endpoint takes connections. A stopped process passes as well.
//   send_expect  Somebody reads and answers with the expected bytes, among the first 64 KiB.
//   http         A GET is answered with one of the wanted status codes.
//   tls          A TLS handshake (1.2 or later) ends well. No certificate is verified: this asks
//                whether the endpoint lives, not who it is.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/enum_names.hpp"
#include "base/time.hpp"
#include "os/address.hpp"

namespace penstock::upstream {

enum class CheckType : std::uint8_t { tcp, send_expect, http, tls };
inline constexpr base::EnumNames<CheckType, 4> check_type_names{
    {"tcp", "send_expect", "http", "tls"}};
static_assert(check_type_names[CheckType::tls] == "tls");

// How one check ended. `local` says nothing about the endpoint: no descriptor, port, memory or
// right on this machine.
enum class CheckResult : std::uint8_t {
  passed,
  refused,
  timeout,
  unreachable,
  reset,
  wrong_answer,
  tls_failed,
  local,
  other,
};
inline constexpr base::EnumNames<CheckResult, 9> check_result_names{
    {"passed", "refused", "timeout", "unreachable", "reset", "wrong_answer", "tls_failed", "local",
     "other"}};
static_assert(check_result_names[CheckResult::other] == "other");

struct CheckOutcome {
  CheckResult result = CheckResult::other;
  std::string why;  // "HTTP status 503"
};

struct StatusRange {
  int first = 200;
  int last = 399;
  bool operator==(const StatusRange&) const = default;
};

struct HealthSpec {
  CheckType type = CheckType::tcp;
  base::Duration interval = std::chrono::seconds{2};  // from start to start, give or take 10 %
  base::Duration timeout = std::chrono::seconds{1};   // of the whole check, answer included
  int rise = 2;                                       // passed in a row that bring it up
  int fall = 3;                                       // failed in a row that take it down
  std::uint16_t port = 0;                             // 0: the endpoint's own
  bool proxy_v2 = false;   // a PROXY v2 header of the command LOCAL goes first
  std::string send;        // of send_expect; bytes, maybe none
  std::string expect;      // of send_expect
  std::string path = "/";  // of http
  std::string host;        // of http; empty: the address that is checked
  std::vector<StatusRange> status{StatusRange{}};  // of http
  std::string sni;                                 // of tls; empty: none is sent
  std::optional<os::IpEndpoint> source{};          // to check from: source_address of the upstream
  bool operator==(const HealthSpec&) const = default;
};

}  // namespace penstock::upstream
