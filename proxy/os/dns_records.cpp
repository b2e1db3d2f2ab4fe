#include "os/dns_records.hpp"

#include <arpa/nameser.h>
#include <resolv.h>

#include <algorithm>
#include <array>
#include <limits>

namespace penstock::os {

namespace {

constexpr int fixed_bytes = 6;  // priority, weight, port

std::optional<ServiceRecord> parse_service(const ns_msg& message, const ns_rr& record) {
  if (ns_rr_rdlen(record) <= fixed_bytes) return std::nullopt;
  const unsigned char* data = ns_rr_rdata(record);
  std::array<char, NS_MAXDNAME> target{};
  if (ns_name_uncompress(ns_msg_base(message), ns_msg_end(message), data + fixed_bytes,
                         target.data(), target.size()) < 0)
    return std::nullopt;
  return ServiceRecord{.target = target.data(),
                       .port = static_cast<std::uint16_t>(ns_get16(data + 4)),
                       .priority = static_cast<std::uint16_t>(ns_get16(data)),
                       .weight = static_cast<std::uint16_t>(ns_get16(data + 2))};
}

// False where the record is malformed.
bool take(const ns_msg& message, const ns_rr& record, DnsRecords& result) {
  if (ns_rr_type(record) == ns_t_srv) {
    const auto service = parse_service(message, record);
    if (!service) return false;
    if (!service->target.empty() && service->target != ".") result.services.push_back(*service);
    return true;
  }
  const auto address =
      IpEndpoint::from_bytes({ns_rr_rdata(record), static_cast<std::size_t>(ns_rr_rdlen(record))});
  if (!address) return false;
  result.addresses.push_back(*address);
  return true;
}

}  // namespace

std::optional<DnsRecords> parse_dns_records(std::span<const unsigned char> answer, DnsType type) {
  ns_msg message;
  if (answer.size() > NS_MAXMSG ||
      ns_initparse(answer.data(), static_cast<int>(answer.size()), &message) != 0)
    return std::nullopt;
  DnsRecords result;
  std::uint32_t ttl_seconds = std::numeric_limits<std::uint32_t>::max();
  for (int i = 0; i < ns_msg_count(message, ns_s_an); ++i) {
    ns_rr record;
    if (ns_parserr(&message, ns_s_an, i, &record) != 0) return std::nullopt;
    ttl_seconds = std::min<std::uint32_t>(ttl_seconds, ns_rr_ttl(record));
    const bool is_asked_for = ns_rr_type(record) == static_cast<unsigned>(type);
    if (is_asked_for && !take(message, record, result)) return std::nullopt;
  }
  if (ns_msg_count(message, ns_s_an) > 0) result.ttl_seconds = ttl_seconds;
  return result;
}

}  // namespace penstock::os
