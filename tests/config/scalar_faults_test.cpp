#include "config/broken_config.hpp"

namespace penstock::config {

namespace {

const std::vector<BrokenConfig> broken_scalars = {
    {listener_with("idle_timeout: 30"),
     {"f.yaml:4:19: listeners[0].idle_timeout: expected a duration, an integer with us, ms, s, m "
      "or h, not '30'"}},
    {listener_with("idle_timeout: 1d"),
     {"f.yaml:4:19: listeners[0].idle_timeout: expected a duration, an integer with us, ms, s, m "
      "or h, not '1d'"}},
    {listener_with("idle_timeout: 05s"),
     {"f.yaml:4:19: listeners[0].idle_timeout: '05s' has a leading zero; integers are decimal"}},
    {listener_with("idle_timeout: 99999999999h"),
     {"f.yaml:4:19: listeners[0].idle_timeout: '99999999999h' is too large"}},
    {listener_with("idle_timeout: 99999999999999999999999s"),
     {"f.yaml:4:19: listeners[0].idle_timeout: '99999999999999999999999s' is too large"}},
    {listener_with("idle_timeout: -1s"),
     {"f.yaml:4:19: listeners[0].idle_timeout: expected a duration, an integer with us, ms, s, m "
      "or h, not '-1s'"}},
    {listener_with("idle_timeout: 1.5s"),
     {"f.yaml:4:19: listeners[0].idle_timeout: expected a duration, an integer with us, ms, s, m "
      "or h, not '1.5s'"}},
    {listener_with("max_connections: -1"),
     {"f.yaml:4:22: listeners[0].max_connections: expected a whole number from 0 to 1000000000, "
      "not '-1'"}},
    {listener_with("max_connections: 010"),
     {"f.yaml:4:22: listeners[0].max_connections: '010' has a leading zero; integers are decimal"}},
    {listener_with("max_connections: 99999999999999999999"),
     {"f.yaml:4:22: listeners[0].max_connections: expected a whole number from 0 to 1000000000, "
      "not '99999999999999999999'"}},
    {listener_with("max_connections: many"),
     {"f.yaml:4:22: listeners[0].max_connections: expected a whole number from 0 to 1000000000, "
      "not 'many'"}},
    {listener_with("max_connections: 0x10"),
     {"f.yaml:4:22: listeners[0].max_connections: expected a whole number from 0 to 1000000000, "
      "not '0x10'"}},
    {listener_with("receive_buffer: 4KB"),
     {"f.yaml:4:21: listeners[0].receive_buffer: expected a size, an integer with B, KiB, MiB, GiB "
      "or nothing, not '4KB'"}},
    {listener_with("receive_buffer: 4GiB"),
     {"f.yaml:4:21: listeners[0].receive_buffer: expected a size from 0 to 1073741823, not "
      "'4GiB'"}},
    {listener_with("receive_buffer: 99999999999GiB"),
     {"f.yaml:4:21: listeners[0].receive_buffer: '99999999999GiB' is too large"}},
    {listener_with("no_delay: yes"),
     {"f.yaml:4:15: listeners[0].no_delay: expected true or false, not 'yes'; did you mean "
      "'true'?"}},
    {listener_with("dscp: 64"),
     {"f.yaml:4:11: listeners[0].dscp: expected a whole number from 0 to 63, not '64'"}},
    {listener_with("congestion: \"no such\""),
     {"f.yaml:4:17: listeners[0].congestion: expected the name of a congestion control like cubic, "
      "not 'no such'"}},
    {listener_with("keepalive: {idle: 10h, interval: 500ms, count: 0, cnt: 1}"),
     {"f.yaml:4:23: listeners[0].keepalive.idle: expected a duration from 0 to 32767s, not '10h'",
      "f.yaml:4:38: listeners[0].keepalive.interval: expected a duration from 1s to 32767s, not "
      "'500ms'",
      "f.yaml:4:52: listeners[0].keepalive.count: expected a whole number from 1 to 127, not '0'",
      "f.yaml:4:55: listeners[0].keepalive.cnt: unknown key"}},
    {listener_with("keepalive: off"),
     {"f.yaml:4:16: listeners[0].keepalive: expected a map, found a single value"}},
    {listener_with("idle_timeout: [1s]"),
     {"f.yaml:4:19: listeners[0].idle_timeout: expected a single value, found a list"}},
    {listener_with("idle_timeout:"),
     {"f.yaml:4:5: listeners[0].idle_timeout: expected a single value, found nothing"}},
};

}  // namespace

TEST_CASE("a value that is not what its key takes is a fault at the value", "[config]") {
  check_faults(broken_scalars);
}

}  // namespace penstock::config
