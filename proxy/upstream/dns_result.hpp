#pragma once
// How the resolution of a name ended. Plain values; they belong to no thread.

#include <array>
#include <cstdint>

#include "base/enum_names.hpp"

namespace penstock::upstream {

enum class DnsResult : std::uint8_t {
  ok,
  nxdomain,     // there is no such name
  no_data,      // the name has no record of this type
  servfail,     // the server could not find out
  refused,      // the server does not answer us
  timeout,      // no server answered in time
  unreachable,  // no server listens there
  other,        // an answer that cannot be read, no memory
};
inline constexpr base::EnumNames<DnsResult, 8> dns_result_names{
    {"ok", "nxdomain", "no_data", "servfail", "refused", "timeout", "unreachable", "other"}};
static_assert(dns_result_names[DnsResult::other] == "other");

// How often the sources of one upstream's names were resolved, by result.
using DnsCounts = std::array<std::uint64_t, dns_result_names.size()>;

// The server gave the answer that there is: it was neither silent nor in trouble.
constexpr bool is_answer(DnsResult result) noexcept {
  return result <= DnsResult::no_data;
}

// Of several ends, the one to tell: success, then trouble (what a server said before its silence),
// then that the name exists.
constexpr DnsResult more_telling(DnsResult one, DnsResult other) noexcept {
  if (one == DnsResult::ok || other == DnsResult::ok) return DnsResult::ok;
  if (is_answer(one) != is_answer(other)) return is_answer(one) ? other : one;
  const bool is_smaller = one < other;
  return is_smaller != is_answer(one) ? one : other;
}
static_assert(more_telling(DnsResult::nxdomain, DnsResult::no_data) == DnsResult::no_data);
static_assert(more_telling(DnsResult::no_data, DnsResult::timeout) == DnsResult::timeout);
static_assert(more_telling(DnsResult::timeout, DnsResult::servfail) == DnsResult::servfail);

}  // namespace penstock::upstream
