#include "base/foreign_words.hpp"

#include <algorithm>
#include <array>

namespace penstock::base {

namespace {

struct Word {
  std::string_view theirs;
  std::string_view ours;
};

// In the order of the alphabet.
constexpr auto words = std::to_array<Word>({
    {"address", "bind"},
    {"algorithm", "balance"},
    {"backend", "upstream"},
    {"backends", "upstreams"},
    {"check", "health_check"},
    {"cluster", "upstream"},
    {"clusters", "upstreams"},
    {"core", "cpu"},
    {"crit", "error"},
    {"err", "error"},
    {"fatal", "error"},
    {"frontends", "listeners"},
    {"global", "runtime"},
    {"health", "health_check"},
    {"healthcheck", "health_check"},
    {"hosts", "endpoints"},
    {"https", "tls"},
    {"inter", "interval"},
    {"ip_hash", "source_hash"},
    {"lb_policy", "balance"},
    {"least_conn", "least_connections"},
    {"least_request", "least_connections"},
    {"leastconn", "least_connections"},
    {"leasttime", "peak_ewma"},
    {"listen", "bind"},
    {"logging", "log"},
    {"max_conn", "max_connections"},
    {"max_conns", "max_connections"},
    {"maxconn", "max_connections"},
    {"members", "endpoints"},
    {"no", "false"},
    {"notice", "info"},
    {"nodes", "endpoints"},
    {"on", "true"},
    {"p2c", "random_two"},
    {"random", "random_two"},
    {"retries", "attempts"},
    {"ring_hash", "maglev"},
    {"round-robin", "round_robin"},
    {"roundrobin", "round_robin"},
    {"rr", "round_robin"},
    {"server", "endpoints"},
    {"servers", "endpoints"},
    {"services", "upstreams"},
    {"source", "source_hash"},
    {"source-ip", "source_hash"},
    {"static-rr", "round_robin"},
    {"stats", "admin"},
    {"targets", "endpoints"},
    {"threads", "forwarders"},
    {"trace", "debug"},
    {"verbose", "debug"},
    {"warn", "warning"},
    {"wrr", "round_robin"},
    {"yes", "true"},
});

}  // namespace

std::string_view our_word_for(std::string_view theirs) {
  const auto* const found = std::find_if(words.begin(), words.end(),
                                         [&](const Word& each) { return each.theirs == theirs; });
  return found == words.end() ? std::string_view{} : found->ours;
}

}  // namespace penstock::base
