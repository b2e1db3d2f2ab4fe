#pragma once
// One question to the name servers of this host, one after the other, until one has an answer.
//
// A server that is silent, in trouble (SERVFAIL, REFUSED) or not there is left for the next one;
// after the last the first is asked again, `attempts` times in all. Where nobody answers, what the
// servers said of their trouble is told before their silence.
//
// Owner    whoever asks. Thread: that of the io_context.
// Limits   ResolverConfig::longest_question().

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "discovery/dns_exchange.hpp"
#include "discovery/dns_servers.hpp"
#include "discovery/resolver_config.hpp"

namespace penstock::discovery {

// Whom a look-up asks, and how. Outlives its questions.
struct DnsResolver {
  boost::asio::io_context& io;
  DnsServers& servers;
  const ResolverConfig config;
};

class DnsQuestion {
 public:
  // `take` is called once, later than this call: it may destroy the question.
  DnsQuestion(const DnsResolver& resolver, DnsAsked asked, std::function<void(DnsReply)> take);
  DnsQuestion(const DnsQuestion&) = delete;
  DnsQuestion& operator=(const DnsQuestion&) = delete;

 private:
  void ask_next();
  void take_reply(DnsReply reply);

  const DnsResolver& resolver_;
  const DnsAsked asked_;
  std::function<void(DnsReply)> take_;
  std::vector<std::string> servers_;
  std::size_t next_ = 0;  // in servers_
  int attempt_ = 0;
  upstream::DnsResult trouble_ = upstream::DnsResult::other;
  std::unique_ptr<DnsExchange> exchange_;
};

}  // namespace penstock::discovery
