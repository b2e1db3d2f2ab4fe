#include "discovery/dns_servers.hpp"

#include <algorithm>

namespace penstock::discovery {

std::vector<std::string> DnsServers::order(const ResolverConfig& config, base::Instant now) {
  std::vector<std::string> servers = config.servers;
  std::erase_if(records_, [&](const auto& record) {
    return std::find(servers.begin(), servers.end(), record.first) == servers.end();
  });
  if (config.rotate && !servers.empty()) {
    const auto first = static_cast<std::ptrdiff_t>(turn_++ % servers.size());
    std::rotate(servers.begin(), servers.begin() + first, servers.end());
  }
  std::stable_partition(servers.begin(), servers.end(), [&](const std::string& server) {
    const auto record = records_.find(server);
    return record == records_.end() || record->second.dead_until <= now;
  });
  return servers;
}

void DnsServers::answered(const std::string& server) {
  records_.erase(server);
}

void DnsServers::failed(const std::string& server, base::Instant now) {
  Record& record = records_[server];
  if (++record.silent_questions >= silent_questions_max) record.dead_until = now + dead_for;
}

}  // namespace penstock::discovery
