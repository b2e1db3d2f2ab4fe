// resolv.conf, and the names that a name stands for: what comes out is bounded; the bytes of an
// answer are read without harm.

#include "discovery/resolver_config.hpp"

#include <algorithm>
#include <span>
#include <string>

#include "fuzz/fuzz.hpp"
#include "os/dns_records.hpp"

namespace {

using namespace penstock;

void configuration(std::string_view text) {
  // The first line is the name, the rest is the file.
  const std::string_view name = text.substr(0, text.find('\n'));
  const discovery::ResolverConfig config = discovery::parse_resolver_config(
      text.substr(std::min(name.size() + 1, text.size())), "host.test");
  fuzz::require(!config.servers.empty() && config.servers.size() <= 3, "1 to 3 servers");
  for (const std::string& server : config.servers)
    fuzz::require(os::parse_socket_address(server).has_value(), "a server is an address");
  fuzz::require(config.search.size() <= 64, "a bounded search list");
  fuzz::require(config.ndots >= 0 && config.ndots <= 15, "ndots within its bounds");
  fuzz::require(config.attempts >= 1 && config.attempts <= 5, "attempts within their bounds");
  fuzz::require(config.timeout_of(0).count() > 0, "a try has its time");
  fuzz::require(config.longest_question() <= std::chrono::seconds{450}, "a question ends");
  const auto names = discovery::search_names(config, name);
  fuzz::require(names.size() <= config.search.size() + 1, "a bounded walk");
  for (const std::string& whole : names)
    fuzz::require(name.ends_with('.') || (whole.starts_with(name) && whole.size() <= 253),
                  "a whole name begins with the name, and DNS can carry it");
  fuzz::require(name.ends_with('.') || name.size() > 253 ||
                    std::find(names.begin(), names.end(), name) != names.end(),
                "the name itself is asked for");
}

void answer(std::string_view bytes) {
  const std::span<const unsigned char> message{reinterpret_cast<const unsigned char*>(bytes.data()),
                                               bytes.size()};
  for (const os::DnsType type : {os::DnsType::a, os::DnsType::aaaa, os::DnsType::srv}) {
    const auto records = os::parse_dns_records(message, type);
    if (!records) continue;
    const std::size_t count = records->addresses.size() + records->services.size();
    fuzz::require(count <= bytes.size() / 11, "a record has eleven bytes at least");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size_bytes) {
  const std::string_view text = fuzz::text_of(data, size_bytes);
  configuration(text);
  answer(text);
  return 0;
}
