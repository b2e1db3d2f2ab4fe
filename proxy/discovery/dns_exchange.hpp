#pragma once
// One question to one name server, by c-ares on an io_context: nothing here blocks.
//
// Each has a socket, and so a port, of its own: a guessed answer has to guess that as well, and
// firewalls that lose the second of two questions from one port do not meet it.
//
// Owner    whoever asks. Thread: that of the io_context.
// Limits   `timeout`; the same again where an answer that UDP cut is asked for by TCP.
// Source   c-ares 1.18 and 1.34: ares_query(3), ares_init_options(3).

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "os/dns_records.hpp"
#include "upstream/dns_result.hpp"

namespace boost::asio {
class io_context;
}

namespace penstock::discovery {

struct DnsReply {
  upstream::DnsResult result = upstream::DnsResult::other;
  // ok: of the type that was asked for; empty where the answer has an alias alone.
  os::DnsRecords records;
};

struct DnsAsked {
  std::string name;  // a whole one
  os::DnsType type = os::DnsType::a;
};

class DnsExchange {
 public:
  struct Way {
    std::string server;  // like "127.0.0.1:53" or "[::1]:53"
    base::Duration timeout{0};
    bool over_tcp = false;  // from the first packet on
  };
  // `take` is called once, later than this call: it may destroy the exchange.
  DnsExchange(boost::asio::io_context& io, const Way& way, const DnsAsked& asked,
              std::function<void(DnsReply)> take);
  DnsExchange(const DnsExchange&) = delete;
  DnsExchange& operator=(const DnsExchange&) = delete;
  // `take` is not called any more.
  ~DnsExchange();

 private:
  struct Channel;  // c-ares's own types stay in the .cpp
  std::unique_ptr<Channel> channel_;
};

// The addresses of both families that the hosts file of this host has for a name.
std::vector<os::IpEndpoint> addresses_in_hosts_file(const std::string& name);

}  // namespace penstock::discovery
