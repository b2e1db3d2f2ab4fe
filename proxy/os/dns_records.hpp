#pragma once
// Addresses and services in the bytes of a DNS answer, read by the C library's parser.
//
// Thread   any; pure. Source: RFC 1035, RFC 2782, RFC 3596, <arpa/nameser.h>.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "os/address.hpp"

namespace penstock::os {

// As a question bears it.
enum class DnsType : std::uint16_t { a = 1, aaaa = 28, srv = 33 };

struct ServiceRecord {
  std::string target;
  std::uint16_t port = 0;
  std::uint16_t priority = 0;  // lower ones first
  std::uint16_t weight = 0;
  bool operator==(const ServiceRecord&) const = default;
};

struct DnsRecords {
  std::vector<IpEndpoint> addresses;  // with port 0
  std::vector<ServiceRecord> services;
  std::uint32_t ttl_seconds = 0;  // the smallest of the answer; of aliases on the way as well
};

// The records of one type. Empty where the bytes are no whole answer. A target of "." says that
// there is no such service (RFC 2782): it is left out.
std::optional<DnsRecords> parse_dns_records(std::span<const unsigned char> answer, DnsType type);

}  // namespace penstock::os
