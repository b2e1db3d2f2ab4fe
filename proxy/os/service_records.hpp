#pragma once
// SRV records in the bytes of a DNS answer, read by the C library's parser.
//
// Thread   any; pure. Source: RFC 2782, <arpa/nameser.h>.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace penstock::os {

struct ServiceRecord {
  std::string target;
  std::uint16_t port = 0;
  std::uint16_t priority = 0;  // lower ones first
  std::uint16_t weight = 0;
  bool operator==(const ServiceRecord&) const = default;
};

struct ServiceRecords {
  std::vector<ServiceRecord> records;
  std::uint32_t ttl_seconds = 0;  // the smallest of the answer; of aliases on the way as well
};

// Empty where the bytes are no whole answer. A target of "." says that there is no such service
// (RFC 2782): it is left out.
std::optional<ServiceRecords> parse_service_records(std::span<const unsigned char> answer);

}  // namespace penstock::os
