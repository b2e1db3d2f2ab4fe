#pragma once
// Questions to the name servers of this host, by c-ares on an io_context: nothing here blocks.
//
// Owner    one lookup. A channel lives no longer than that: so each lookup reads /etc/resolv.conf
//          as it is now, and asks from a port of its own.
// Thread   that of the io_context. An answer may come within the call that asks: from the hosts
//          file. A channel must not be destroyed by an answer that it gives.
// Limits   2 s for the first try of a server, 4 s for the second. Who needs an end by then cancels.
// Source   c-ares 1.18: ares_getaddrinfo(3), ares_search(3), ares_init_options(3).

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "os/address.hpp"
#include "os/service_records.hpp"
#include "upstream/dns_result.hpp"

namespace boost::asio {
class io_context;
}

namespace penstock::upstream {

// How long an answer may be kept: its TTL within these bounds. The hosts file has the upper one.
inline constexpr base::Duration dns_keep_min = std::chrono::seconds{1};
inline constexpr base::Duration dns_keep_max = std::chrono::seconds{60};

struct DnsAddresses {
  DnsResult result = DnsResult::other;
  std::vector<os::IpEndpoint> addresses;  // with port 0
  base::Duration keep = dns_keep_max;
};

struct DnsServices {
  DnsResult result = DnsResult::other;
  std::vector<os::ServiceRecord> records;
  base::Duration keep = dns_keep_max;
};

class DnsChannel {
 public:
  using Family = os::IpEndpoint::Family;

  // `servers` like "127.0.0.1:53,[::1]:53"; empty: those of /etc/resolv.conf.
  DnsChannel(boost::asio::io_context& io, const std::string& servers);
  DnsChannel(const DnsChannel&) = delete;
  DnsChannel& operator=(const DnsChannel&) = delete;
  // Answers that are still missing never come.
  ~DnsChannel();

  // The addresses of one family: of the hosts file, else A or AAAA records, with search domains.
  void ask_addresses(const std::string& name, Family family,
                     std::function<void(DnsAddresses)> take);
  // SRV records, with search domains.
  void ask_services(const std::string& name, std::function<void(DnsServices)> take);

  // What is still missing is answered now, as a timeout.
  void cancel();

 private:
  struct Parts;  // c-ares's own types stay in the .cpp
  Parts& frank();

  boost::asio::io_context& io_;
  const std::string servers_;
  std::unique_ptr<Parts> parts_;
  std::unique_ptr<Parts> frank_;  // once it is needed
};

}  // namespace penstock::upstream
