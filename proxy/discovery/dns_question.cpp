#include "discovery/dns_question.hpp"

#include <utility>

#include "os/clock.hpp"

namespace penstock::discovery {

DnsQuestion::DnsQuestion(const DnsResolver& resolver, DnsAsked asked,
                         std::function<void(DnsReply)> take)
    : resolver_{resolver},
      asked_{std::move(asked)},
      take_{std::move(take)},
      servers_{resolver.servers.order(resolver.config, os::now())} {
  ask_next();
}

void DnsQuestion::ask_next() {
  exchange_ = std::make_unique<DnsExchange>(
      resolver_.io,
      DnsExchange::Way{.server = servers_[next_],
                       .timeout = resolver_.config.timeout_of(attempt_),
                       .over_tcp = resolver_.config.over_tcp},
      asked_, [this](DnsReply reply) { take_reply(std::move(reply)); });
}

void DnsQuestion::take_reply(DnsReply reply) {
  const bool is_absent = reply.result == upstream::DnsResult::timeout ||
                         reply.result == upstream::DnsResult::unreachable;
  if (is_absent)
    resolver_.servers.failed(servers_[next_], os::now());
  else
    resolver_.servers.answered(servers_[next_]);
  trouble_ = upstream::more_telling(trouble_, reply.result);
  const bool is_last = next_ + 1 == servers_.size() && attempt_ + 1 == resolver_.config.attempts;
  if (upstream::is_answer(reply.result) || is_last) {
    if (!upstream::is_answer(reply.result)) reply.result = trouble_;
    exchange_.reset();
    const auto take = std::move(take_);
    return take(std::move(reply));
  }
  if (++next_ == servers_.size()) {
    next_ = 0;
    ++attempt_;
  }
  ask_next();
}

}  // namespace penstock::discovery
