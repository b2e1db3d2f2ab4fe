#include "config/broken_config.hpp"
#include "control/upstreams/loops.hpp"

namespace penstock::config {

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::vector<std::string> addresses_of(const Config& config) {
  std::vector<std::string> result;
  for (const os::SocketAddress& address : config.server.listeners.at(0).addresses)
    result.push_back(address.to_string());
  return result;
}

std::vector<std::string> identities_of(const Config& config) {
  std::vector<std::string> result;
  for (const auto& endpoint : config.server.upstreams.at(0).endpoints)
    result.push_back(endpoint.identity);
  return result;
}

}  // namespace

TEST_CASE("a listener without more keys has the promised defaults", "[config]") {
  const Config config = good_config(with_upstream(one_listener()));
  const runtime::ListenerSpec& listener = config.server.listeners.at(0);
  CHECK(listener.session.name == "127.0.0.1:80");
  CHECK(listener.session.upstream == "web");
  CHECK_FALSE(listener.session.files.has_value());
  CHECK(listener.session.max_connections == 10'000);
  CHECK(listener.listen.backlog == 4096);
  CHECK_FALSE(listener.listen.v6_only);
  CHECK(listener.listen.mode == 0660);
  CHECK(listener.listen.owner.empty());
  CHECK(listener.session.timeouts.idle == hours{1});
  CHECK(listener.session.timeouts.half_close == seconds{60});
  CHECK(listener.session.timeouts.max_lifetime == seconds{0});
  CHECK(listener.session.timeouts.peer == seconds{30});
  CHECK(listener.session.timeouts.abort_linger == seconds{5});
  CHECK(listener.session.socket == os::SocketOptions{});
  CHECK(listener.session.socket.keepalive.idle == seconds{60});
  CHECK(listener.session.socket.keepalive.interval == seconds{10});
  CHECK(listener.session.socket.keepalive.count == 6);
  CHECK(listener.session.socket.no_delay);
}

TEST_CASE("everything else has the promised defaults", "[config]") {
  const Config config = good_config(with_upstream(one_listener()));
  const upstream::ClusterSpec& web = config.server.upstreams.at(0);
  CHECK(web.name == "web");
  CHECK(web.balance == upstream::Balance::round_robin);
  CHECK(web.endpoints.at(0).weight == 1);
  CHECK(web.connect.timeout == seconds{2});
  CHECK(web.connect.attempts == 3);
  CHECK(web.connect.ready == 0);
  CHECK(config.server.relay.engine == relay::EnginePolicy::adaptive);
  CHECK_FALSE(config.pipe_size);
  CHECK(config.server.relay.buffer_bytes == 64 * 1024);
  CHECK_FALSE(config.max_pipes);
  CHECK(config.server.runtime.forwarders == 0);
  CHECK(config.server.runtime.numa == runtime::NumaMode::automatic);
  CHECK(config.server.runtime.pin == runtime::Pin::node);
  CHECK(config.server.runtime.max_connections == 0);
  CHECK(config.server.runtime.spin == seconds{0});
  CHECK(config.server.runtime.drain.grace == seconds{0});
  CHECK(config.server.runtime.drain.timeout == seconds{30});
  CHECK(config.admin.empty());
  CHECK(config.log.level == report::LogLevel::info);
  CHECK(config.log.format == report::LogFormat::text);
  CHECK(config.log.access_to == "stdout");
  CHECK(config.log.access_close);
  CHECK_FALSE(config.log.access_open);
  CHECK(config.log.access_sample == 1.0);
}

TEST_CASE("a listener inherits `defaults` and overrides them key by key", "[config]") {
  const Config config =
      good_config("defaults: {idle_timeout: 5m, dscp: 46, keepalive: {idle: 30s, count: 3}}\n" +
                  listener_with("idle_timeout: 1500ms\nkeepalive: {count: 9}\nno_delay: false"));
  const session::ListenerOptions& session = config.server.listeners.at(0).session;
  CHECK(session.timeouts.idle == milliseconds{1500});
  CHECK(session.timeouts.peer == seconds{30});
  CHECK(session.socket.dscp == 46);
  CHECK(session.socket.keepalive.idle == seconds{30});
  CHECK(session.socket.keepalive.count == 9);
  CHECK_FALSE(session.socket.no_delay);
}

TEST_CASE("a forwarder spins for as long as it is told", "[config]") {
  const Config config = good_config("runtime: {spin: 50us}\n" + with_upstream(one_listener()));
  CHECK(config.server.runtime.spin == std::chrono::microseconds{50});
  const Config left_open = good_config("runtime: {spin: auto}\n" + with_upstream(one_listener()));
  CHECK_FALSE(left_open.server.runtime.spin);
}

TEST_CASE("a bare 0 is a duration, a size and a share", "[config]") {
  const Config config = good_config("log: {access: {sample: 0}}\n" +
                                    listener_with("idle_timeout: 0\nreceive_buffer: 0"));
  CHECK(config.server.listeners.at(0).session.timeouts.idle == seconds{0});
  CHECK(config.log.access_sample == 0.0);
}

TEST_CASE("a port range binds every port of it, both ends included", "[config]") {
  CHECK(addresses_of(good_config(bound_to("127.0.0.1:7000-7002"))) ==
        std::vector<std::string>{"127.0.0.1:7000", "127.0.0.1:7001", "127.0.0.1:7002"});
  CHECK(addresses_of(good_config(bound_to("\"[::1]:65534-65535\""))) ==
        std::vector<std::string>{"[::1]:65534", "[::1]:65535"});
  CHECK(addresses_of(good_config(bound_to("127.0.0.1:7000-7000"))).size() == 1);
  CHECK(addresses_of(good_config(bound_to("127.0.0.1:1001-2024"))).size() == 1024);
}

TEST_CASE("a list of binds is one listener, named by the first", "[config]") {
  const Config config = good_config(bound_to("[\"127.0.0.1:80\", unix:@name, unix:/run/x]"));
  CHECK(addresses_of(config) ==
        std::vector<std::string>{"127.0.0.1:80", "unix:@name", "unix:/run/x"});
  CHECK(config.server.listeners.at(0).session.name == "127.0.0.1:80");
}

TEST_CASE("a bind may be a host name, which is resolved or left alone", "[config]") {
  const std::string text = bound_to("localhost:8080-8081");
  for (const std::string& address : addresses_of(good_config(text)))
    CHECK((address.ends_with(":8080") || address.ends_with(":8081")));
  CHECK(addresses_of(good_config(text)).size() >= 2);
  const LoadedConfig unresolved = load_config_text(text, "f.yaml", false);
  REQUIRE(unresolved.config);
  CHECK(addresses_of(*unresolved.config).empty());
}

TEST_CASE("sockets that can be bound side by side are no fault", "[config]") {
  good_config(bound_to("[0.0.0.0:80, 0.0.0.0:81, \"unix:/a\", \"unix:@/a\", 127.0.0.1:82]"));
  good_config(
      with_upstream("listeners:\n"
                    "  - {name: a, bind: \"[::]:80\", upstream: web, v6_only: true}\n"
                    "  - {name: b, bind: \"0.0.0.0:80\", upstream: web}\n"));
}

TEST_CASE("an endpoint is named by its name, else by its canonical address", "[config]") {
  CHECK(identities_of(good_config(endpoint("\"[::0:1]:80\"\n"
                                           "  - {address: 10.0.0.2:80, name: blue, weight: 0}\n"
                                           "  - unix:/run/app.sock"))) ==
        std::vector<std::string>{"[::1]:80", "blue", "unix:/run/app.sock"});
}

TEST_CASE("names and files are sources of endpoints, which are found later", "[config]") {
  const auto loaded = load_config_text(
      endpoint(
          "10.0.0.1:80\n"
          "  - {dns: \"no.such.host.invalid:80\", weight: 7, backup: true, max_connections: 9}\n"
          "  - {dns: \"db:80\", type: a, refresh: 5s, priority: 3, family: v4, gone_after: 100,"
          " nx_hold: off, forget_after: 1h}\n"
          "  - {dns: _db._tcp.svc, type: srv, refresh: 0, max_connections: 2}\n"
          "  - {file: endpoints.yaml}\n"
          "  - {file: /run/endpoints.yaml}\n"
          "  - {address: 10.0.0.2:80, priority: 15, max_connections: 4}"),
      "folder/f.yaml");
  CHECK(lines_of(loaded.faults) == std::vector<std::string>{});
  REQUIRE(loaded.config);
  CHECK(identities_of(*loaded.config) == std::vector<std::string>{"10.0.0.1:80", "10.0.0.2:80"});
  using upstream::DnsSource;
  using upstream::FileSource;
  const auto& spec = loaded.config->server.upstreams.at(0);
  REQUIRE(spec.sources.size() == 7);
  CHECK(std::get<upstream::EndpointSpec>(spec.sources[0]) == spec.endpoints.at(0));
  CHECK(std::get<DnsSource>(spec.sources[1]) == DnsSource{.name = "no.such.host.invalid",
                                                          .port = 80,
                                                          .weight = 7,
                                                          .priority = 1,
                                                          .max_connections = 9});
  CHECK(std::get<DnsSource>(spec.sources[2]) == DnsSource{.name = "db",
                                                          .port = 80,
                                                          .family = DnsSource::Family::v4,
                                                          .refresh = std::chrono::seconds{5},
                                                          .gone_after = 100,
                                                          .nx_hold = std::nullopt,
                                                          .forget_after = std::chrono::hours{1},
                                                          .priority = 3});
  const auto& unstated = std::get<DnsSource>(spec.sources[1]);
  CHECK(unstated.family == DnsSource::Family::any);
  CHECK(unstated.gone_after == 1);
  CHECK(unstated.nx_hold == seconds{30});
  CHECK(unstated.forget_after == std::chrono::minutes{10});
  CHECK(std::get<DnsSource>(spec.sources[3]) ==
        DnsSource{.name = "_db._tcp.svc", .type = DnsSource::Type::srv, .max_connections = 2});
  CHECK(std::get<FileSource>(spec.sources[4]).path == "folder/endpoints.yaml");
  CHECK(std::get<FileSource>(spec.sources[5]).path == "/run/endpoints.yaml");
  CHECK(spec.endpoints.at(1).priority == 15);
  CHECK(spec.endpoints.at(1).max_connections == 4);
}

TEST_CASE("a found endpoint that is an own listener is recognised", "[config]") {
  const Config config = good_config(
      "listeners:\n"
      "  - {name: web, bind: \"0.0.0.0:80\", upstream: web}\n"
      "  - {name: one, bind: \"0.0.0.0:81\", files: {root: .}}\n"
      "upstreams: {web: {endpoints: [\"10.0.0.1:80\"]}}\n");
  const OwnSockets sockets = control::looping_sockets(config.server.listeners);
  const auto loop = [&](const char* address) {
    return sockets.reached_by(*os::parse_socket_address(address));
  };
  REQUIRE(loop("127.0.0.1:80") != nullptr);
  CHECK(loop("127.0.0.1:80")->owner == "web");
  CHECK(loop("127.0.0.1:81") == nullptr);
  CHECK(loop("10.0.0.1:80") == nullptr);
  CHECK(loop("unix:/a") == nullptr);
}

TEST_CASE("an endpoint may be a files listener of the same file", "[config]") {
  good_config(
      "listeners:\n"
      "  - {name: web, bind: \"0.0.0.0:80\", upstream: web}\n"
      "  - {name: one, bind: \"0.0.0.0:81\", files: {root: .}}\n"
      "upstreams: {web: {endpoints: [\"127.0.0.1:81\"]}}\n");
}

TEST_CASE("admin takes one map or a list, and is open to the network only on request", "[config]") {
  const Config config =
      good_config(with_part("admin:\n"
                            "  - {bind: \"unix:/run/penstock.sock\"}\n"
                            "  - {bind: \"0.0.0.0:9900\", read_only: true}\n"
                            "  - {bind: \"0.0.0.0:9901\", allow_remote_control: true}"));
  REQUIRE(config.admin.size() == 3);
  CHECK(config.admin[0].address.is_unix());
  CHECK(config.admin[1].read_only);
  CHECK(config.admin[2].allow_remote_control);
  CHECK(good_config(with_part("admin: {bind: \"127.0.0.1:9900\"}")).admin.size() == 1);
}

TEST_CASE("words may be quoted, and numbers stand for auto", "[config]") {
  const Config config = good_config(with_part(
      "runtime: {numa: \"off\", pin: 'off', forwarders: 256, acceptors: 2, max_connections: 5}\n"
      "relay: {engine: splice, max_pipes: 7, pipe_size: 1MiB, buffer_size: 4096}"));
  CHECK(config.server.runtime.numa == runtime::NumaMode::off);
  CHECK(config.server.runtime.pin == runtime::Pin::off);
  CHECK(config.server.runtime.forwarders == 256);
  CHECK(config.server.runtime.acceptors == 2);
  CHECK(config.server.runtime.max_connections == 5);
  CHECK(config.server.relay.engine == relay::EnginePolicy::splice);
  CHECK(config.pipe_size == 1 << 20);
  CHECK(config.server.relay.buffer_bytes == 4096);
  CHECK(config.max_pipes == 7);
}

TEST_CASE("forwarders may be counted by node", "[config]") {
  const Config config = good_config(with_part("runtime: {numa: strict, forwarders: {0: 2, 3: 5}}"));
  CHECK(config.server.runtime.numa == runtime::NumaMode::strict);
  CHECK(config.server.runtime.forwarders_by_node == std::map<int, std::size_t>{{0, 2}, {3, 5}});
}

TEST_CASE("log.access.events says which lines are written", "[config]") {
  const Config open = good_config(with_part("log: {access: {events: [open], sample: 50%}}"));
  CHECK(open.log.access_open);
  CHECK_FALSE(open.log.access_close);
  CHECK(open.log.access_sample == 0.5);
  CHECK_FALSE(good_config(with_part("log: {access: {events: []}}")).log.access_close);
}

TEST_CASE("anchors, x- keys and a byte order mark are allowed", "[config]") {
  const Config config =
      good_config("\xef\xbb\xbfx-common: &endpoints [10.0.0.1:80, 10.0.0.2:80]\n" +
                  upstream_with("endpoints: *endpoints"));
  CHECK(identities_of(config) == std::vector<std::string>{"10.0.0.1:80", "10.0.0.2:80"});
}

}  // namespace penstock::config
