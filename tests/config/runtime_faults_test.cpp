#include "config/broken_config.hpp"

namespace penstock::config {

namespace {

const std::vector<BrokenConfig> broken_parts = {
    {with_part("admin: {bind: \"127.0.0.1:80\"}"),
     {"f.yaml:7:15: admin.bind: '127.0.0.1:80' cannot be bound beside '127.0.0.1:80' of listener "
      "'127.0.0.1:80'"}},
    {with_part("admin: {bind: \"0.0.0.0:9900\"}"),
     {"f.yaml:7:15: admin.bind: anybody who reaches this address could control the proxy; bind to "
      "loopback, or set read_only or allow_remote_control to true"}},
    {with_part("admin: [{read_only: true}]"), {"f.yaml:7:9: admin[0].bind: missing"}},
    {with_part("admin: {bind: localhost:9900}"),
     {"f.yaml:7:15: admin.bind: 'localhost' is not an IP address"}},
    {with_part("relay: {engine: fast, pipe_size: 4KiB, max_pipes: x, buffer_size: 1GiB, "
               "zerocopy_threshold: 0}"),
     {"f.yaml:7:17: relay.engine: expected adaptive, splice, copy, zerocopy or uring, not "
      "'fast'",
      "f.yaml:7:34: relay.pipe_size: expected a size from 64KiB to 1GiB, not '4KiB', or auto",
      "f.yaml:7:51: relay.max_pipes: expected a whole number from 0 to 1000000, not 'x', or auto",
      "f.yaml:7:67: relay.buffer_size: expected a size from 4KiB to 16MiB, not '1GiB'",
      "f.yaml:7:93: relay.zerocopy_threshold: expected a size from 1 to 16MiB, not '0'"}},
    {with_part("relay: {zerocopy_threshold: 65KiB}"),
     {"f.yaml:7:29: relay.zerocopy_threshold: is more than relay.buffer_size: "
      "nothing would ever be sent without a copy"}},
    {with_part("runtime: {forwarders: 257, acceptors: 0, numa: remote, pin: core, max_connections: "
               "0, spin: 10, drain: {grace: 1, wait: 2s}}"),
     {"f.yaml:7:23: runtime.forwarders: expected a whole number from 1 to 256, not '257', or auto",
      "f.yaml:7:39: runtime.acceptors: expected a whole number from 1 to 256, not '0', or auto",
      "f.yaml:7:48: runtime.numa: expected auto, off or strict, not 'remote'",
      "f.yaml:7:61: runtime.pin: expected node, cpu or off, not 'core'; did you mean 'cpu'?",
      "f.yaml:7:84: runtime.max_connections: expected a whole number from 1 to 1000000000, not "
      "'0', or auto",
      "f.yaml:7:93: runtime.spin: expected a duration, an integer with us, ms, s, m or h, not "
      "'10', or auto",
      "f.yaml:7:112: runtime.drain.grace: expected a duration, an integer with us, ms, s, m or h, "
      "not '1'",
      "f.yaml:7:115: runtime.drain.wait: unknown key"}},
    {with_part("runtime: {forwarders: {zero: 2, 1: 0, 1024: 1}}"),
     {"f.yaml:7:30: runtime.forwarders.zero: a node is named by its number: expected a whole "
      "number from 0 to 1023, not 'zero'",
      "f.yaml:7:36: runtime.forwarders.1: expected a whole number from 1 to 256, not '0'",
      "f.yaml:7:45: runtime.forwarders.1024: a node is named by its number: expected a whole "
      "number from 0 to 1023, not '1024'"}},
    {with_part("runtime: {forwarders: {0: 200, 1: 57}}"),
     {"f.yaml:7:23: runtime.forwarders: expected at most 256 forwarders in all, not 257"}},
    {with_part("runtime: {forwarders: {}}"),
     {"f.yaml:7:23: runtime.forwarders: expected at least one node and its number"}},
    {with_part("runtime: [1]"), {"f.yaml:7:10: runtime: expected a map, found a list"}},
    {with_part("log: {level: verbose, format: xml, access: {to: \"\", events: [open, periodic, x], "
               "sample: 101%}, access_interval: 60s}"),
     {"f.yaml:7:14: log.level: expected debug, info, warning or error, not 'verbose'; did you mean "
      "'debug'?",
      "f.yaml:7:31: log.format: expected text or json, not 'xml'",
      "f.yaml:7:49: log.access.to: must not be empty",
      "f.yaml:7:68: log.access.events[1]: 'periodic' is not supported yet",
      "f.yaml:7:78: log.access.events[2]: expected open or close, not 'x'",
      "f.yaml:7:90: log.access.sample: expected a share from 0% to 100%, not '101%'",
      "f.yaml:7:97: log.access_interval: not supported yet"}},
    {with_part("log: {access: {sample: 0.5}}"),
     {"f.yaml:7:24: log.access.sample: expected a share from 0% to 100%, not '0.5'"}},
    {with_part("log: {access: {events: close}}"),
     {"f.yaml:7:24: log.access.events: expected a list, found a single value"}},
};

}  // namespace

TEST_CASE("what is wrong with relay, runtime, admin or log is said where it stands", "[config]") {
  check_faults(broken_parts);
}

}  // namespace penstock::config
