#include "base/promised.hpp"

#include <algorithm>
#include <array>

namespace penstock::base {

namespace {

// In the order of the alphabet: what is looked for is found by halves.
constexpr auto keys = std::to_array<std::string_view>({
    "announce",
    "announce[].bird",
    "announce[].protocol",
    "announce[].upstreams",
    "include",
    "listeners[].access",
    "listeners[].access.allow",
    "listeners[].access.allow[].file",
    "listeners[].access.deny",
    "listeners[].access.deny[].file",
    "listeners[].ban",
    "listeners[].connection_rate",
    "listeners[].connection_rate_per_source",
    "listeners[].defer_accept",
    "listeners[].fast_open",
    "listeners[].freebind",
    "listeners[].max_connections_per_source",
    "listeners[].mptcp",
    "listeners[].original_destination",
    "listeners[].preread",
    "listeners[].preread.max_bytes",
    "listeners[].preread.timeout",
    "listeners[].proxy_protocol",
    "listeners[].proxy_protocol.mode",
    "listeners[].proxy_protocol.trusted",
    "listeners[].routes",
    "listeners[].routes[].match",
    "listeners[].routes[].match.alpn",
    "listeners[].routes[].match.destination_port",
    "listeners[].routes[].match.sni",
    "listeners[].routes[].match.sni[].file",
    "listeners[].routes[].match.source",
    "listeners[].routes[].match.source[].file",
    "listeners[].routes[].match.tls",
    "listeners[].routes[].name",
    "listeners[].routes[].upstream",
    "listeners[].transparent",
    "log.access.when",
    "log.access.when.bytes",
    "log.access.when.duration",
    "log.access.when.empty",
    "log.access.when.reasons",
    "log.access_interval",
    "runtime.keeper",
    "runtime.state_file",
    "upstreams.*.connect.rate",
    "upstreams.*.endpoints[].check",
    "upstreams.*.endpoints[].check.address",
    "upstreams.*.endpoints[].check.port",
    "upstreams.*.endpoints[].etcd",
    "upstreams.*.endpoints[].etcd.ca",
    "upstreams.*.endpoints[].etcd.certificate",
    "upstreams.*.endpoints[].etcd.key",
    "upstreams.*.endpoints[].etcd.password",
    "upstreams.*.endpoints[].etcd.patroni",
    "upstreams.*.endpoints[].etcd.prefix",
    "upstreams.*.endpoints[].etcd.role",
    "upstreams.*.endpoints[].etcd.servers",
    "upstreams.*.endpoints[].etcd.user",
    "upstreams.*.endpoints[].xds",
    "upstreams.*.endpoints[].xds.ca",
    "upstreams.*.endpoints[].xds.certificate",
    "upstreams.*.endpoints[].xds.cluster",
    "upstreams.*.endpoints[].xds.key",
    "upstreams.*.endpoints[].xds.node",
    "upstreams.*.endpoints[].xds.refresh",
    "upstreams.*.endpoints[].xds.url",
    "upstreams.*.health_check.alpn",
    "upstreams.*.health_check.ca",
    "upstreams.*.health_check.certificate",
    "upstreams.*.health_check.check_of",
    "upstreams.*.health_check.database",
    "upstreams.*.health_check.headers",
    "upstreams.*.health_check.headers.*",
    "upstreams.*.health_check.interval.coming",
    "upstreams.*.health_check.interval.down",
    "upstreams.*.health_check.interval.up",
    "upstreams.*.health_check.key",
    "upstreams.*.health_check.method",
    "upstreams.*.health_check.password",
    "upstreams.*.health_check.role",
    "upstreams.*.health_check.steps",
    "upstreams.*.health_check.steps[].expect",
    "upstreams.*.health_check.steps[].expect_not",
    "upstreams.*.health_check.steps[].send",
    "upstreams.*.health_check.steps[].start_tls",
    "upstreams.*.health_check.steps[].within",
    "upstreams.*.health_check.tls",
    "upstreams.*.health_check.tls.alpn",
    "upstreams.*.health_check.tls.ca",
    "upstreams.*.health_check.tls.certificate",
    "upstreams.*.health_check.tls.key",
    "upstreams.*.health_check.tls.sni",
    "upstreams.*.health_check.tls.verify",
    "upstreams.*.health_check.user",
    "upstreams.*.health_check.verify",
    "upstreams.*.on_up",
    "upstreams.*.on_up.do",
    "upstreams.*.on_up.over",
    "upstreams.*.on_up.skew",
    "upstreams.*.outlier.first_byte",
    "upstreams.*.outlier.kernel",
    "upstreams.*.proxy_protocol",
    "upstreams.*.queue.when",
    "upstreams.*.sni",
    "upstreams.*.sni.allow",
    "upstreams.*.sni.port",
    "upstreams.*.sni.private",
});
static_assert(std::is_sorted(keys.begin(), keys.end()));

struct Value {
  std::string_view key;
  std::string_view value;  // a name in capitals at one end stands for any text
};
constexpr auto values = std::to_array<Value>({
    {"listeners[].bind[]", "systemd:NAME"},
    {"log.access.events[]", "periodic"},
    {"log.access.to", "journald"},
    {"log.access.to", "syslog"},
    {"upstreams.*.endpoints[]", "IP:*"},
    {"upstreams.*.endpoints[].address", "IP:*"},
    {"upstreams.*.health_check.type", "agent"},
    {"upstreams.*.health_check.type", "amqp"},
    {"upstreams.*.health_check.type", "ldap"},
    {"upstreams.*.health_check.type", "mqtt"},
    {"upstreams.*.health_check.type", "mysql"},
    {"upstreams.*.health_check.type", "postgres"},
    {"upstreams.*.health_check.type", "redis"},
    {"upstreams.*.health_check.type", "smtp"},
    {"upstreams.*.source_address", "client"},
});

constexpr auto pages = std::to_array<std::string_view>({
    "/",
    "/connections",
    "/connections/*",
    "/reload",
    "/upgrade",
});

constexpr auto parameters = std::to_array<PromisedParameter>({
    {"/upstreams/*/endpoints/*", "kill", ""},
    {"/upstreams/*/endpoints/*", "max_connections", ""},
    {"/upstreams/*/endpoints/*", "state", "reset"},
    {"/upstreams/*/endpoints/*", "weight", ""},
});

constexpr auto words = std::to_array<PromisedWord>({
    {"", "import"},
    {"", "schema"},
    {"check", "--against"},
    {"check", "--here"},
    {"ctl", "--watch"},
    {"ctl", "--wide"},
    {"ctl", "connections"},
    {"ctl", "kill"},
    {"ctl", "reload"},
    {"ctl", "top"},
    {"ctl", "trace"},
    {"ctl", "upgrade"},
    {"ctl endpoint STATE", "kill"},
    {"ctl endpoint STATE", "max_connections"},
    {"ctl endpoint STATE", "reset"},
    {"ctl endpoint STATE", "weight"},
    {"run", "--forward"},
    {"run", "--watch"},
});

constexpr std::string_view capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

// The pattern systemd:NAME fits systemd:web, IP:* fits 10.0.0.1:*.
bool fits(std::string_view pattern, std::string_view text) {
  const auto last = pattern.find_last_not_of(capitals) + 1;
  const auto first = pattern.find_first_not_of(capitals);
  if (last < pattern.size()) return text.starts_with(pattern.substr(0, last));
  return first > 0 ? text.ends_with(pattern.substr(first)) : text == pattern;
}

}  // namespace

bool is_promised_key(std::string_view pattern) {
  return std::binary_search(keys.begin(), keys.end(), pattern);
}

bool is_promised_value(std::string_view pattern, std::string_view value) {
  return std::any_of(values.begin(), values.end(), [&](const Value& each) {
    return each.key == pattern && fits(each.value, value);
  });
}

std::span<const std::string_view> promised_pages() {
  return pages;
}

std::span<const PromisedParameter> promised_parameters() {
  return parameters;
}

std::span<const PromisedWord> promised_words() {
  return words;
}

}  // namespace penstock::base
