#include "config/broken_config.hpp"

namespace penstock::config {

namespace {

using upstream::CheckType;
using upstream::HealthSpec;
using upstream::StatusRange;

std::string checked_by(const std::string& keys) {
  return with_part("    health_check: {" + keys + '}');
}

HealthSpec spec_from(const std::string& keys) {
  const Config config = good_config(checked_by(keys));
  REQUIRE(config.server.upstreams.at(0).health_check);
  return *config.server.upstreams.at(0).health_check;
}

// The keys begin in line 7, column 20.
const std::vector<BrokenConfig> broken_checks = {
    {checked_by("type: ping"),
     {"f.yaml:7:26: upstreams.web.health_check.type: expected tcp, send_expect, http or tls, not "
      "'ping'"}},
    {checked_by("expect: x"),
     {"f.yaml:7:20: upstreams.web.health_check.expect: belongs to type send_expect, not to tcp"}},
    {checked_by("type: tls, path: /, status: 200"),
     {"f.yaml:7:31: upstreams.web.health_check.path: belongs to type http, not to tls",
      "f.yaml:7:40: upstreams.web.health_check.status: belongs to type http, not to tls"}},
    {checked_by("type: http, sni: a.example"),
     {"f.yaml:7:32: upstreams.web.health_check.sni: belongs to type tls, not to http"}},
    {checked_by("type: send_expect, send: x"),
     {"f.yaml:7:19: upstreams.web.health_check.expect: missing"}},
    {checked_by("type: send_expect, expect: 'a\\q'"),
     {"f.yaml:7:47: upstreams.web.health_check.expect: no escape begins with '\\q'; there are "
      "\\xNN, \\r, \\n, \\t and \\\\"}},
    {checked_by("type: send_expect, expect: '\\x4'"),
     {"f.yaml:7:47: upstreams.web.health_check.expect: no escape begins with '\\x4'; there are "
      "\\xNN, \\r, \\n, \\t and \\\\"}},
    {checked_by("type: send_expect, expect: ''"),
     {"f.yaml:7:47: upstreams.web.health_check.expect: must not be empty"}},
    {checked_by("type: send_expect, expect: x, send: " + std::string(4097, 'x')),
     {"f.yaml:7:56: upstreams.web.health_check.send: longer than 4096 bytes"}},
    {checked_by("interval: 1ms, timeout: 0, rise: 0, fall: 101, port: 65536"),
     {"f.yaml:7:30: upstreams.web.health_check.interval: expected a duration from 10ms to 24h, not "
      "'1ms'",
      "f.yaml:7:44: upstreams.web.health_check.timeout: expected a duration from 1ms to 1h, not "
      "'0'",
      "f.yaml:7:53: upstreams.web.health_check.rise: expected a whole number from 1 to 100, not "
      "'0'",
      "f.yaml:7:62: upstreams.web.health_check.fall: expected a whole number from 1 to 100, not "
      "'101'",
      "f.yaml:7:73: upstreams.web.health_check.port: expected a whole number from 0 to 65535, not "
      "'65536'"}},
    {checked_by("proxy_protocol: v1"),
     {"f.yaml:7:36: upstreams.web.health_check.proxy_protocol: expected off or v2, not 'v1'; did "
      "you "
      "mean 'v2'?"}},
    {checked_by("type: http, path: live"),
     {"f.yaml:7:38: upstreams.web.health_check.path: expected a path that begins with / and has no "
      "spaces, control characters or #, not 'live'"}},
    {checked_by("type: http, path: \"/ HTTP/1.1\\r\\nX: y\""),
     {"f.yaml:7:38: upstreams.web.health_check.path: '/ HTTP/1.1\\x0d\\x0aX: y' contains a control "
      "character"}},
    {checked_by("type: http, host: \"a\\r\\nX: y\""),
     {"f.yaml:7:38: upstreams.web.health_check.host: 'a\\x0d\\x0aX: y' contains a control "
      "character"}},
    {checked_by("type: http, status: [200, 99, 400-300, 2xx]"),
     {"f.yaml:7:46: upstreams.web.health_check.status[1]: expected a status like 200 or a range "
      "like 200-399, from 100 to 599, not '99'",
      "f.yaml:7:50: upstreams.web.health_check.status[2]: expected a status like 200 or a range "
      "like 200-399, from 100 to 599, not '400-300'",
      "f.yaml:7:59: upstreams.web.health_check.status[3]: expected a status like 200 or a range "
      "like 200-399, from 100 to 599, not '2xx'"}},
    {checked_by("type: http, status: []"),
     {"f.yaml:7:40: upstreams.web.health_check.status: expected at least one status"}},
    {checked_by("type: tls, sni: 10.0.0.1"),
     {"f.yaml:7:36: upstreams.web.health_check.sni: expected a host name, which an address is not, "
      "without a final dot; not '10.0.0.1'"}},
    {checked_by("type: tls, sni: a.example."),
     {"f.yaml:7:36: upstreams.web.health_check.sni: expected a host name, which an address is not, "
      "without a final dot; not 'a.example.'"}},
    {checked_by("intervall: 1s"),
     {"f.yaml:7:20: upstreams.web.health_check.intervall: unknown key; did you mean 'interval'?"}},
    {with_part("    health_check: tcp"),
     {"f.yaml:7:19: upstreams.web.health_check: expected a map, found a single value"}},
};

}  // namespace

TEST_CASE("what is wrong with a health check is said where it stands", "[config]") {
  check_faults(broken_checks);
}

TEST_CASE("without the section, or with nothing in it, nothing is checked", "[config]") {
  for (const char* part : {"", "    health_check:\n"})
    CHECK_FALSE(good_config(with_part(part)).server.upstreams.at(0).health_check.has_value());
}

TEST_CASE("an empty map has the promised defaults", "[config]") {
  const HealthSpec spec = spec_from("");
  CHECK(spec == HealthSpec{});
  CHECK(spec.type == CheckType::tcp);
  CHECK(spec.interval == std::chrono::seconds{2});
  CHECK(spec.timeout == std::chrono::seconds{1});
  CHECK(spec.rise == 2);
  CHECK(spec.fall == 3);
  CHECK(spec.port == 0);
  CHECK_FALSE(spec.proxy_v2);
  CHECK(spec.status == std::vector<StatusRange>{{200, 399}});
}

TEST_CASE("every key of a health check is read", "[config]") {
  const HealthSpec tcp = spec_from(
      "type: tcp, interval: 1s, timeout: 3s, rise: 4, fall: 5, port: 81, proxy_protocol: v2");
  CHECK(tcp.interval == std::chrono::seconds{1});
  CHECK(tcp.timeout == std::chrono::seconds{3});  // longer than the interval, which is allowed
  CHECK(tcp.rise == 4);
  CHECK(tcp.fall == 5);
  CHECK(tcp.port == 81);
  CHECK(tcp.proxy_v2);
  const HealthSpec http =
      spec_from("type: http, path: '/live?a=b', host: 'a.example:8080', status: [204, 300-302]");
  CHECK(http.type == CheckType::http);
  CHECK(http.path == "/live?a=b");
  CHECK(http.host == "a.example:8080");
  CHECK(http.status == std::vector<StatusRange>{{204, 204}, {300, 302}});
  CHECK(spec_from("type: http, status: 200").status == std::vector<StatusRange>{{200, 200}});
  CHECK(spec_from("type: tls, sni: a.example").sni == "a.example");
}

TEST_CASE("escapes in what is sent and expected become bytes", "[config]") {
  const HealthSpec spec =
      spec_from("type: send_expect, send: 'a\\r\\n\\t\\\\\\x00\\xfF', expect: \"b\\r\\n\"");
  CHECK(spec.send == std::string{"a\r\n\t\\\0\xff", 7});
  CHECK(spec.expect == "b\r\n");
}

TEST_CASE("what a variable holds is sent as it is", "[config]") {
  ::setenv("PENSTOCK_TEST_PASSWORD", "a\\x41b\\", 1);
  ::unsetenv("PENSTOCK_TEST_UNSET");
  const HealthSpec spec = spec_from(
      "type: send_expect, send: 'AUTH ${PENSTOCK_TEST_PASSWORD}\\x41\\r', "
      "expect: '${PENSTOCK_TEST_UNSET:-\\x42}$${'");
  CHECK(spec.send == "AUTH a\\x41b\\A\r");
  CHECK(spec.expect == "B${");  // a default is written in the file
}

}  // namespace penstock::config
