// How an upstream chooses: balancer, limits, queue, passive health, farewells.

#include "base/limits.hpp"
#include "config/parts.hpp"
#include "config/scalars.hpp"

namespace penstock::config {

namespace {

void read_outlier(ConfigReading& reading, const YamlPlace& place, upstream::ClusterSpec& target) {
  MapReader reader{reading, place};
  upstream::OutlierOptions& outlier = target.outlier.emplace();
  reader.optional("consecutive_failures", outlier.consecutive_failures,
                  integer_between(1, 1'000'000));
  reader.optional("ejection", outlier.ejection,
                  duration_between(std::chrono::milliseconds{1}, std::chrono::hours{24}));
  reader.optional("max_ejected", outlier.max_ejected, parse_percent);
  reader.finish();
}

void read_queue(ConfigReading& reading, const YamlPlace& place, upstream::QueueOptions& target) {
  MapReader reader{reading, place};
  reader.optional("size", target.size, integer_between(0, base::queue_size_max));
  reader.optional("timeout", target.timeout, parse_duration);
  reader.finish();
}

void read_connect(ConfigReading& reading, const YamlPlace& place,
                  upstream::ConnectOptions& target) {
  MapReader reader{reading, place};
  reader.optional("timeout", target.timeout, parse_duration);
  reader.optional("attempts", target.attempts, integer_between(1, base::connect_attempts_max));
  reader.optional("ready", target.ready, integer_between(0, upstream::ConnectOptions::ready_max));
  reader.finish();
}

std::string parse_source(std::string_view text, std::optional<os::IpEndpoint>& target) {
  if (text.empty()) return {};
  const bool is_v6 = text.find(':') != std::string_view::npos;
  const std::string with_port = is_v6 ? '[' + std::string{text} + "]:1" : std::string{text} + ":1";
  const auto address = os::parse_socket_address(with_port, os::interface_number);
  if (!address || address->is_unix())
    return "expected an IP address of this host, without a port, not " + base::in_quotes(text);
  if (address->is_wildcard())
    return base::in_quotes(text) + " is no address to connect from; leave it out";
  target = address->ip();
  target->port = 0;
  return {};
}

struct KeepOrClose {
  std::string operator()(std::string_view text, upstream::RemovalPolicy& target) const {
    if (text == "drain") return base::expected_one_of({"keep", "close"}, text);
    return word_of(upstream::removal_policy_names)(text, target);
  }
  static std::string text(upstream::RemovalPolicy value) {
    return word_of(upstream::removal_policy_names).text(value);
  }
};

}  // namespace

void read_balancing(MapReader& reader, upstream::ClusterSpec& target) {
  ConfigReading& reading = reader.reading();
  reader.optional("balance", target.balance, word_of(upstream::balance_names));
  reader.optional("hash_key", target.hash_key, word_of(upstream::hash_key_names));
  read_connect(reading, reader.section("connect"), target.connect);
  const auto outlier = reader.find("outlier");
  if (outlier && outlier->node->kind != YamlNode::Kind::null)
    read_outlier(reading, *outlier, target);
  read_queue(reading, reader.section("queue"), target.queue);
  reader.optional("panic_threshold", target.panic_threshold, parse_percent);
  reader.optional("max_connections", target.max_connections, integer_between(0, base::places_max));
  reader.optional("slow_start", target.slow_start,
                  duration_between(base::Duration{0}, std::chrono::hours{24}));
  reader.optional("source_address", target.connect.source, parse_source);
  reader.optional("on_down", target.on_down, KeepOrClose{});
  reader.optional("on_remove", target.on_remove, word_of(upstream::removal_policy_names));
}

}  // namespace penstock::config
