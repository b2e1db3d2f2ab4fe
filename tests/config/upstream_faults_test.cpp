#include "config/broken_config.hpp"

namespace penstock::config {

namespace {

const std::vector<BrokenConfig> broken_upstreams = {
    {upstream_with("balance: fastest\nendpoints: [10.0.0.1:80]"),
     {"f.yaml:6:14: upstreams.web.balance: expected round_robin, least_connections, "
      "random_two, source_hash, maglev, first or peak_ewma, not 'fastest'"}},
    {upstream_with("balance: round_robin"), {"f.yaml:6:5: upstreams.web.endpoints: missing"}},
    {upstream_with("endpoints: []"),
     {"f.yaml:6:16: upstreams.web.endpoints: expected at least one endpoint"}},
    {upstream_with("endpoints: 10.0.0.1:80"),
     {"f.yaml:6:16: upstreams.web.endpoints: expected a list, found a single value"}},
    {with_part("    proxy_protocol: v2"),
     {"f.yaml:7:5: upstreams.web.proxy_protocol: not supported yet"}},
    {with_part("    queue: {size: 1000001, patience: 5s}\n    on_down: drain\n    on_remove: cut"),
     {"f.yaml:7:19: upstreams.web.queue.size: expected a whole number from 0 to 1000000, not "
      "'1000001'",
      "f.yaml:7:28: upstreams.web.queue.patience: unknown key",
      "f.yaml:8:14: upstreams.web.on_down: expected keep or close, not 'drain'",
      "f.yaml:9:16: upstreams.web.on_remove: expected keep, drain or close, not 'cut'"}},
    {with_part("    outlier: {ejection: 0s, max_ejected: 101%, consecutive_failures: 0}"),
     {"f.yaml:7:25: upstreams.web.outlier.ejection: expected a duration from 1ms to 24h, not '0s'",
      "f.yaml:7:42: upstreams.web.outlier.max_ejected: expected a share from 0% to 100%, not "
      "'101%'",
      "f.yaml:7:70: upstreams.web.outlier.consecutive_failures: expected a whole number from 1 to "
      "1000000, not '0'"}},
    {with_part("    source_address: client\n    slow_start: 25h\n    panic_threshold: half"),
     {"f.yaml:7:21: upstreams.web.source_address: 'client' is not supported yet",
      "f.yaml:8:17: upstreams.web.slow_start: expected a duration from 0 to 24h, not '25h'",
      "f.yaml:9:22: upstreams.web.panic_threshold: expected a share from 0% to 100%, not 'half'"}},
    // What is to come says what it needs: nothing else is missing.
    {upstream_with("endpoints:\n  - etcd: {servers: [a], prefix: /}\n  - 10.0.0.1:*"),
     {"f.yaml:7:9: upstreams.web.endpoints[0].etcd: not supported yet",
      "f.yaml:8:9: upstreams.web.endpoints[1]: '10.0.0.1:*' is not supported yet"}},
    {upstream_with("sni: {allow: [a]}"), {"f.yaml:6:5: upstreams.web.sni: not supported yet"}},
    {with_part("    health_check: {interval: {up: 2s, off: 1s}}"),
     {"f.yaml:7:31: upstreams.web.health_check.interval.up: not supported yet"}},
    {with_part("    source_address: 10.0.0.1:80\n    hash_key: sni"),
     {"f.yaml:7:21: upstreams.web.source_address: expected an IP address of this host, without a "
      "port, not '10.0.0.1:80'",
      "f.yaml:8:15: upstreams.web.hash_key: expected source or source_port, not 'sni'"}},
    {with_part("    source_address: 0.0.0.0"),
     {"f.yaml:7:21: upstreams.web.source_address: '0.0.0.0' is no address to connect from; leave "
      "it out"}},
    {with_part("    connect: {ready: 65}"),
     {"f.yaml:7:22: upstreams.web.connect.ready: expected a whole number from 0 to 64, not '65'"}},
    {with_part("    connect: {attempts: 9, timeout: 5}"),
     {"f.yaml:7:25: upstreams.web.connect.attempts: expected a whole number from 1 to 8, not '9'",
      "f.yaml:7:37: upstreams.web.connect.timeout: expected a duration, an integer with us, ms, s, "
      "m or h, not '5'"}},
    {endpoint("db:5432"),
     {"f.yaml:7:9: upstreams.web.endpoints[0]: 'db' is a host name; write {dns: 'db:5432'}"}},
    {endpoint("10.0.0.1"),
     {"f.yaml:7:9: upstreams.web.endpoints[0]: expected ip:port, [v6]:port or unix:/path, with a "
      "port from 1 to 65535"}},
    {endpoint("{address: 10.0.0.1:80, weight: 65536}"),
     {"f.yaml:7:40: upstreams.web.endpoints[0].weight: expected a whole number from 0 to 65535, "
      "not '65536'"}},
    {endpoint("{weight: 1}"), {"f.yaml:7:9: upstreams.web.endpoints[0].address: missing"}},
    {endpoint("{address: 10.0.0.1:80, backup: true, priority: 1}"),
     {"f.yaml:7:32: upstreams.web.endpoints[0].backup: cannot stand beside priority; a backup has "
      "priority 1"}},
    {endpoint("{address: 10.0.0.1:80, priority: 16, backup: maybe}"),
     {"f.yaml:7:42: upstreams.web.endpoints[0].priority: expected a whole number from 0 to 15, not "
      "'16'",
      "f.yaml:7:54: upstreams.web.endpoints[0].backup: expected true or false, not 'maybe'"}},
    {endpoint("{address: 10.0.0.1:80, max_connections: -1}"),
     {"f.yaml:7:49: upstreams.web.endpoints[0].max_connections: expected a whole number from 0 to "
      "1000000000, not '-1'"}},
    {endpoint("{file: e.yaml, weight: 2}"),
     {"f.yaml:7:24: upstreams.web.endpoints[0].weight: cannot stand beside file; it belongs into "
      "the file"}},
    {endpoint("{file: \"\"}"), {"f.yaml:7:16: upstreams.web.endpoints[0].file: must not be empty"}},
    {endpoint("{file: e.yaml, dns: \"db:80\"}"),
     {"f.yaml:7:10: upstreams.web.endpoints[0].file: cannot stand beside dns"}},
    {endpoint("[10.0.0.1:80]"),
     {"f.yaml:7:9: upstreams.web.endpoints[0]: expected an address or a map, found a list"}},
    {endpoint("{dns: \"db:5432\", type: txt}"),
     {"f.yaml:7:32: upstreams.web.endpoints[0].type: expected a or srv, not 'txt'"}},
    {endpoint("{dns: \"db:5432\", refresh: 999ms}"),
     {"f.yaml:7:35: upstreams.web.endpoints[0].refresh: expected a duration from 1s to 1000000h, "
      "not '999ms'"}},
    {endpoint("{dns: \"db:5432\", family: v5, gone_after: 0, nx_hold: on, forget_after: never}"),
     {"f.yaml:7:34: upstreams.web.endpoints[0].family: expected any, v4 or v6, not 'v5'; did you "
      "mean 'v4'?",
      "f.yaml:7:50: upstreams.web.endpoints[0].gone_after: expected a whole number from 1 to 100, "
      "not '0'",
      "f.yaml:7:62: upstreams.web.endpoints[0].nx_hold: expected off or a duration, not 'on'",
      "f.yaml:7:80: upstreams.web.endpoints[0].forget_after: expected a duration, an integer with "
      "us, "
      "ms, s, m or h, not 'never'"}},
    {endpoint("{file: e.yaml, gone_after: 2}"),
     {"f.yaml:7:24: upstreams.web.endpoints[0].gone_after: cannot stand beside file; it belongs "
      "into the file"}},
    {endpoint("{dns: \"db:5432\", name: a, address: 10.0.0.1:80}"),
     {"f.yaml:7:26: upstreams.web.endpoints[0].name: cannot stand beside dns",
      "f.yaml:7:35: upstreams.web.endpoints[0].address: cannot stand beside dns"}},
    {endpoint("{dns: _db._tcp.svc, type: srv, weight: 2, backup: true}"),
     {"f.yaml:7:40: upstreams.web.endpoints[0].weight: cannot stand beside type: srv, whose "
      "records "
      "state it",
      "f.yaml:7:51: upstreams.web.endpoints[0].backup: cannot stand beside type: srv, whose "
      "records "
      "state it"}},
    {endpoint("{dns: \"db:0\", type: srv}"),
     {"f.yaml:7:15: upstreams.web.endpoints[0].dns: expected name or name:port, not 'db:0'"}},
    {endpoint("{dns: \"10.0.0.1:80\"}"),
     {"f.yaml:7:15: upstreams.web.endpoints[0].dns: expected name:port, not '10.0.0.1:80'"}},
    {endpoint("{dns: db}"),
     {"f.yaml:7:15: upstreams.web.endpoints[0].dns: expected name:port, not 'db'"}},
    {endpoint("10.0.0.1:80\n  - {address: 10.0.0.1:80, weight: 2}"),
     {"f.yaml:8:9: upstreams.web.endpoints[1]: '10.0.0.1:80' is an endpoint already, at "
      "upstreams.web.endpoints[0]"}},
    {endpoint("{address: 10.0.0.1:80, name: a}\n  - {address: 10.0.0.2:80, name: a}"),
     {"f.yaml:8:9: upstreams.web.endpoints[1]: 'a' is an endpoint already, at "
      "upstreams.web.endpoints[0]"}},
    {endpoint("0.0.0.0:80"),
     {"f.yaml:7:9: upstreams.web.endpoints[0]: '0.0.0.0:80' means every address of this host, not "
      "one to connect to; write 127.0.0.1:80 for it"}},
    {endpoint("\"[::]:80\""),
     {"f.yaml:7:9: upstreams.web.endpoints[0]: '[::]:80' means every address of this host, not one "
      "to connect to; write [::1]:80 for it"}},
    {endpoint("{address: 224.0.0.1:80}"),
     {"f.yaml:7:19: upstreams.web.endpoints[0].address: '224.0.0.1:80' is multicast, broadcast, or "
      "link-local without a zone: no host can be connected to there"}},
    {endpoint("127.0.0.1:80"),
     {"f.yaml:7:9: upstreams.web.endpoints[0]: '127.0.0.1:80' is listener '127.0.0.1:80' of this "
      "file: a loop; only a listener with files can be an endpoint"}},
    {"listeners:\n  - bind: 0.0.0.0:80\n    upstream: web\nupstreams: {web: {endpoints: "
     "[\"127.0.0.1:80\"]}}\n",
     {"f.yaml:4:31: upstreams.web.endpoints[0]: '127.0.0.1:80' is listener '0.0.0.0:80' of this "
      "file: a loop; only a listener with files can be an endpoint"}},
};

}  // namespace

TEST_CASE("what is wrong with an upstream or its endpoints is said where it stands", "[config]") {
  check_faults(broken_upstreams);
}

}  // namespace penstock::config
