// The files of config/ against the schema.

#include "config/broken_config.hpp"
#include "config/keys.hpp"
#include "os/process.hpp"

namespace penstock::config {

namespace {

const std::string config_directory = PENSTOCK_SOURCE_DIR "/config/";

std::set<std::string> only_in(const std::set<std::string>& one,
                              const std::set<std::string>& other) {
  std::set<std::string> result;
  for (const std::string& key : one)
    if (other.count(key) == 0) result.insert(key);
  return result;
}

}  // namespace

TEST_CASE("every file of config/ loads without a fault", "[config]") {
  for (const char* name : {"minimal.yaml", "quickstart.yaml", "reference.yaml", "sidecar.yaml"}) {
    INFO(name);
    const LoadedConfig loaded = load_config(config_directory + name);
    CHECK(lines_of(loaded.faults) == std::vector<std::string>{});
    CHECK(loaded.config.has_value());
  }
}

TEST_CASE("reference.yaml has every key of the schema, and no other", "[config]") {
  const os::FileText file = os::read_file(config_directory + "reference.yaml", 1 << 20);
  REQUIRE(file.error.empty());
  const std::set<std::string> written = keys_of(file.text);
  const std::set<std::string> asked = schema_keys(file.text);
  CHECK(only_in(asked, written) == std::set<std::string>{});
  CHECK(only_in(written, asked) == std::set<std::string>{});
  CHECK(asked.count("listeners[].keepalive.idle") == 1);
  CHECK(asked.count("upstreams.*.connect.timeout") == 1);
  CHECK(asked.size() > 80);
}

TEST_CASE("reference.yaml states the defaults", "[config]") {
  const auto reference = load_config(config_directory + "reference.yaml");
  REQUIRE(reference.config);
  const Config& stated = *reference.config;
  const Config plain = good_config(with_upstream(one_listener()));
  const session::ListenerOptions& one = stated.server.listeners.at(0).session;
  const session::ListenerOptions& other = plain.server.listeners.at(0).session;
  CHECK(one.max_connections == other.max_connections);
  CHECK(one.timeouts.idle == other.timeouts.idle);
  CHECK(one.timeouts.half_close == other.timeouts.half_close);
  CHECK(one.timeouts.max_lifetime == other.timeouts.max_lifetime);
  CHECK(one.timeouts.peer == other.timeouts.peer);
  CHECK(one.timeouts.abort_linger == other.timeouts.abort_linger);
  CHECK(one.socket == other.socket);
  CHECK(stated.server.listeners.at(1).session.socket == other.socket);
  CHECK(stated.server.listeners.at(1).listen.mode == os::ListenOptions{}.mode);
  CHECK(stated.server.listeners.at(2).session.files->max_age == files::Options{}.max_age);
  CHECK(stated.server.upstreams.at(0).health_check == upstream::HealthSpec{});
  CHECK(stated.pipe_size == plain.pipe_size);
  CHECK(stated.server.relay.buffer_bytes == plain.server.relay.buffer_bytes);
  CHECK(stated.server.runtime.drain.timeout == plain.server.runtime.drain.timeout);
  CHECK(stated.log.access_sample == plain.log.access_sample);
}

TEST_CASE("quickstart.yaml balances over two file servers of its own", "[config]") {
  const auto loaded = load_config(config_directory + "quickstart.yaml");
  REQUIRE(loaded.config);
  REQUIRE(loaded.config->server.listeners.size() == 3);
  CHECK(loaded.config->server.listeners[0].session.name == "web");
  CHECK(loaded.config->server.listeners[1].session.files->root == "config/quickstart/one");
  CHECK(loaded.config->server.listeners[2].session.files->root == "config/quickstart/two");
  CHECK(loaded.config->admin.at(0).address.to_string() == "127.0.0.1:9900");
}

}  // namespace penstock::config
