#include "control/plan.hpp"

#include "catch.hpp"
#include "config/config.hpp"

using namespace penstock;
using control::plan_of;

namespace {

// The threads are given, so that the machine decides nothing but by its limits.
config::Config config_with(const std::string& more) {
  const config::LoadedConfig loaded = config::load_config_text(
      "listeners:\n"
      "  - {bind: 127.0.0.1:80, upstream: web}\n"
      "  - {bind: 127.0.0.1:81, files: {root: ., open_files: 1000}}\n"
      "upstreams: {web: {endpoints: [10.0.0.1:80]}}\n" +
          more,
      "f.yaml", false);
  REQUIRE(loaded.config);
  return *loaded.config;
}

const std::string two_forwarders = "runtime: {forwarders: 2, acceptors: 1}\n";
constexpr budget::Limits narrow{.descriptors = 1024};
constexpr budget::Limits wide{.descriptors = 65'536};

}  // namespace

TEST_CASE("a plan works out what is auto and cuts what does not fit", "[control]") {
  const control::Plan plan = plan_of(config_with(two_forwarders), narrow);
  CHECK(plan.server.runtime.max_connections == plan.budget.plan.connections_max);
  CHECK(plan.server.runtime.max_connections > 0);
  CHECK(plan.server.relay.pipes_max == plan.budget.plan.pipes_per_forwarder);
  CHECK(plan.server.relay.pipe_bytes == plan.budget.plan.pipe_bytes);
  CHECK(plan.server.relay.buffers_max == plan.budget.plan.buffers_per_forwarder);
  CHECK(plan.server.listeners[1].session.files->open_files == 1024 / 8 / 2);
}

TEST_CASE("what is configured and fits is planned as it is", "[control]") {
  const config::Config config = config_with("runtime: {forwarders: 2, max_connections: 1000}\n");
  const runtime::ServerSpec planned = plan_of(config, wide).server;
  CHECK(planned.runtime == config.server.runtime);
  CHECK(planned.listeners == config.server.listeners);
  CHECK(planned.upstreams == config.server.upstreams);
}

TEST_CASE("what one plan cut is not cut for the next one", "[control]") {
  const config::Config config = config_with(two_forwarders);
  const runtime::ServerSpec before = plan_of(config, wide).server;
  CHECK_FALSE(plan_of(config, narrow).server == before);
  CHECK(plan_of(config, wide).server == before);
  CHECK(before.listeners == config.server.listeners);
}
