#pragma once
// How often the sources of one upstream's names were resolved, by upstream::DnsResult. A plain
// value; it belongs to no thread.

#include <array>
#include <cstdint>

#include "upstream/dns_result.hpp"

namespace penstock::control {

using DnsCounts = std::array<std::uint64_t, upstream::dns_result_names.size()>;

}  // namespace penstock::control
