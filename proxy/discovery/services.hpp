#pragma once
// From the terms of SRV records (RFC 2782) to those of endpoints: pure.
//
// Priority  the distinct numbers of the answer, in their order, are our 0, 1, 2 and so on; from the
//           sixteenth on all share 15.
// Weight    as it is. A 0 beside others means "hardly ever", but ours means "never": such a record
//           gets 1 and the others of its priority 100 times theirs, as far as that can be written.
//           Where all are 0, all are equal.

#include <cstdint>
#include <string>
#include <vector>

#include "os/dns_records.hpp"

namespace penstock::discovery {

inline constexpr std::size_t priority_max = 15;

struct Service {
  std::string target;
  std::uint16_t port = 0;
  std::uint8_t priority = 0;
  std::uint32_t weight = 1;
  bool operator==(const Service&) const = default;
};

// The preferred ones first. A target that stands in the answer twice with one port is one service,
// with what its most preferred record says.
std::vector<Service> services_of(std::vector<os::ServiceRecord> records);

}  // namespace penstock::discovery
