#include "budget/budget.hpp"
#include "base/limits.hpp"
#include "catch.hpp"
#include "relay/pool_index.hpp"

using namespace penstock;
using budget::Limits;
using budget::Plan;
using budget::plan_budget;
using budget::ResourceRequest;

namespace {

std::size_t descriptors_of(const Plan& plan) {
  return base::descriptors_reserved + plan.pipes_total * base::descriptors_per_pipe +
         plan.connections_max * base::descriptors_per_connection;
}

}  // namespace

TEST_CASE("without wishes everything fits the descriptor limit and nothing is warned of",
          "[budget]") {
  for (const std::uint64_t descriptors : {512U, 1024U, 4096U, 65'536U, 1'048'576U}) {
    const Plan plan = plan_budget({.descriptors = descriptors}, {.forwarders = 2});
    CAPTURE(descriptors, plan.pipes_total, plan.connections_max);
    CHECK(descriptors_of(plan) <= descriptors);
    CHECK(descriptors_of(plan) + base::descriptors_per_connection > descriptors);
    CHECK(plan.warnings.empty());
  }
}

TEST_CASE("the user's pipe pages bound the pipes, so that every pipe is whole", "[budget]") {
  const Limits limits{.descriptors = 1'048'576, .pipe_user_pages_soft = 16'384};
  CHECK(plan_budget(limits, {.pipe_bytes = 256 * 1024}).pipes_total == 256);
  CHECK(plan_budget(limits, {.pipe_bytes = 1024 * 1024}).pipes_total == 64);
  CHECK(plan_budget({.descriptors = 524'288}, {}).pipes_total == 524'288 / 16);
}

TEST_CASE("pipes of one size do not grow", "[budget]") {
  const Limits limits{.descriptors = 1'048'576, .pipe_user_pages_soft = 16'384};
  const Plan plan = plan_budget(limits, {.pipe_bytes = 128 * 1024});
  CHECK(plan.pipe_bytes == 128 * 1024);
  CHECK(plan.pipes_total == 512);
  CHECK(plan.grown_pipes_per_forwarder == 0);
}

TEST_CASE("pipes of themselves and those that grow are all whole within the user's pages",
          "[budget]") {
  for (const std::size_t forwarders : {1U, 2U, 4U, 12U, 16U, 64U, 256U})
    for (const std::uint64_t pages : {1U, 512U, 1024U, 16'384U, 1'048'576U}) {
      const Limits limits{
          .descriptors = 1'048'576, .pipe_user_pages_soft = pages, .pipe_bytes_max = 1 << 20};
      const Plan plan = plan_budget(limits, {.forwarders = forwarders});
      CAPTURE(forwarders, pages, plan.pipes_total, plan.pipe_bytes, plan.grown_pipe_bytes);
      const std::size_t grown = plan.grown_pipes_per_forwarder * forwarders;
      CHECK(grown * plan.grown_pipe_bytes <= pages * limits.page_bytes / 4);
      CHECK((plan.grown_pipe_bytes == 0) == (grown == 0));
      if (plan.pipes_per_forwarder == 1) continue;  // each has one, whatever the pages
      CHECK(grown * plan.grown_pipe_bytes + (plan.pipes_total - grown) * plan.pipe_bytes <=
            pages * limits.page_bytes);
    }
}

TEST_CASE("as Linux comes pipes are 256 KiB, and a few for each forwarder grow to 1 MiB",
          "[budget]") {
  const Limits limits{
      .descriptors = 20'000, .pipe_user_pages_soft = 16'384, .pipe_bytes_max = 1 << 20};
  const Plan plan = plan_budget(limits, {.forwarders = 2});
  CHECK(plan.pipe_bytes == 256 * 1024);
  CHECK(plan.pipes_total == 208);
  CHECK(plan.grown_pipe_bytes == 1 << 20);
  CHECK(plan.grown_pipes_per_forwarder == 8);
  // Who is not bound has as many as a forwarder could make use of.
  const Plan privileged = plan_budget({.descriptors = 20'000}, {.forwarders = 2});
  CHECK(privileged.pipes_total == 1250);
  CHECK(privileged.grown_pipes_per_forwarder == base::grown_pipes_max);
  CHECK(privileged.grown_pipe_bytes == 1 << 20);
}

TEST_CASE("where pages are few pipes begin at 64 KiB and grow less", "[budget]") {
  Limits limits{.descriptors = 20'000, .pipe_user_pages_soft = 1024, .pipe_bytes_max = 1 << 20};
  const Plan few = plan_budget(limits, {.forwarders = 2});
  CHECK(few.pipe_bytes == 64 * 1024);
  CHECK(few.grown_pipe_bytes == 128 * 1024);
  CHECK(few.grown_pipes_per_forwarder == 4);
  limits.pipe_user_pages_soft = 16'384;
  CHECK(plan_budget(limits, {.forwarders = 64}).pipe_bytes == 64 * 1024);
  // All that were asked for.
  CHECK(plan_budget(limits, {.max_pipes = 192}).pipe_bytes == 256 * 1024);
  CHECK(plan_budget(limits, {.max_pipes = 193}).pipe_bytes == 64 * 1024);
}

TEST_CASE("no pipe grows beyond what the kernel gives, nor beyond an eighth of the memory",
          "[budget]") {
  Limits limits{.descriptors = 20'000, .pipe_bytes_max = 512 << 10};
  CHECK(plan_budget(limits, {}).grown_pipe_bytes == 512 << 10);
  limits.pipe_bytes_max = 128 << 10;
  CHECK(plan_budget(limits, {}).grown_pipes_per_forwarder == 0);
  limits.pipe_bytes_max = 1 << 20;
  limits.memory_bytes = (24 << 20) + (40 << 20);  // beside what the program needs
  CHECK(plan_budget(limits, {}).grown_pipes_per_forwarder == 5);
  CHECK(plan_budget(limits, {.forwarders = 2}).grown_pipe_bytes == 512 << 10);
  // At most a quarter of the pipes: who asks for few has a reason.
  CHECK(plan_budget({.descriptors = 20'000}, {.max_pipes = 8}).grown_pipes_per_forwarder == 2);
}

TEST_CASE("pipes are shared out evenly, and each forwarder gets at least one", "[budget]") {
  const Limits limits{.descriptors = 4096, .pipe_user_pages_soft = 640};
  const Plan plan = plan_budget(limits, {.forwarders = 4, .pipe_bytes = 256 * 1024});
  CHECK(plan.pipes_per_forwarder == 2);
  CHECK(plan.pipes_total == 8);
  const Plan scarce =
      plan_budget({.descriptors = 4096, .pipe_user_pages_soft = 1}, {.forwarders = 8});
  CHECK(scarce.pipes_per_forwarder == 1);
  CHECK(scarce.pipes_total == 8);
}

TEST_CASE("a pipe limit beyond what bytes can be counted in limits nothing", "[budget]") {
  const std::size_t pages = std::size_t{1} << 52;  // times 4096 it would be 0
  const Plan plan =
      plan_budget({.descriptors = 524'288, .pipe_user_pages_soft = pages}, {.forwarders = 1});
  CHECK(plan.pipes_total == 524'288 / 16);
}

TEST_CASE("no forwarder is promised more pipes than its pool has places for", "[budget]") {
  const Limits limits{.descriptors = 10'000'000};
  CHECK(plan_budget(limits, {.forwarders = 2}).pipes_total == 2 * relay::pool_places_max);
}

TEST_CASE("no pipe is planned where none is wanted", "[budget]") {
  CHECK(plan_budget({.descriptors = 4096}, {.max_pipes = 0}).pipes_total == 0);
  CHECK(plan_budget({.descriptors = 4096}, {.splices = false}).pipes_per_forwarder == 0);
}

TEST_CASE("pipes of themselves make room for the connections that were asked for", "[budget]") {
  const Plan plan = plan_budget({.descriptors = 1024}, {.max_connections = 430});
  CHECK(plan.connections_max == 430);
  CHECK(plan.pipes_total == 18);
  CHECK(plan.warnings.empty());
  CHECK(plan_budget({.descriptors = 65'536}, {.max_connections = 20}).pipes_total == 40);
}

TEST_CASE("more connections than the limit holds are cut down with a sentence", "[budget]") {
  const Plan plan = plan_budget({.descriptors = 1024}, {.max_connections = 10'000});
  CHECK(plan.connections_max == 447);
  CHECK(descriptors_of(plan) <= 1024);
  REQUIRE(plan.warnings.size() == 1);
  CHECK(plan.warnings[0].starts_with("runtime.max_connections is 10000, but the limit of 1024 "));
  CHECK(plan.warnings[0].find("at least 20130 ") != std::string::npos);
}

TEST_CASE("more pipes than the limit holds are cut down with a sentence", "[budget]") {
  const Plan plan = plan_budget({.descriptors = 1024}, {.max_pipes = 5000});
  CHECK(plan.pipes_total == 128);
  CHECK(plan.connections_max == 320);
  REQUIRE(plan.warnings.size() == 1);
  CHECK(plan.warnings[0].starts_with("relay.max_pipes is 5000, "));
  CHECK(plan.warnings[0].find("at least 40000 ") != std::string::npos);
  CHECK(plan_budget({.descriptors = 40'000}, {.max_pipes = 5000}).warnings.empty());
}

TEST_CASE("pipes that were asked for yield to connections", "[budget]") {
  const Plan free_choice = plan_budget({.descriptors = 20'000}, {.max_pipes = 1'000'000});
  CHECK(free_choice.pipes_total == 2500);
  CHECK(free_choice.connections_max == 7436);
  const Plan both =
      plan_budget({.descriptors = 20'000}, {.max_pipes = 1'000'000, .max_connections = 9'000});
  CHECK(both.connections_max == 9'000);
  CHECK(both.pipes_total == 936);
  // Beside what was asked for together there is room for all of it.
  const Plan fits =
      plan_budget({.descriptors = 20'000}, {.max_pipes = 5'000, .max_connections = 4'000});
  CHECK(fits.connections_max == 4'000);
  CHECK(fits.pipes_total == 5'000);
  CHECK(fits.warnings.empty());
}

TEST_CASE("no more connections are let in than there are descriptors for both of their sockets",
          "[budget]") {
  for (const std::uint64_t descriptors : {48U, 64U, 100U, 128U, 200U, 256U, 400U}) {
    const ResourceRequest request{.forwarders = 2, .own_descriptors = 40, .admin_binds = 1};
    const Plan plan = plan_budget({.descriptors = descriptors}, request);
    CAPTURE(descriptors, plan.pipes_total, plan.connections_max);
    CHECK(request.own_descriptors + plan.pipes_total * base::descriptors_per_pipe +
              plan.connections_max * base::descriptors_per_connection <=
          descriptors);
    const bool is_said =
        !plan.warnings.empty() &&
        plan.warnings[0].starts_with("the limit of " + std::to_string(descriptors));
    CHECK(is_said == (plan.connections_max < 16));
  }
}

TEST_CASE("a tiny descriptor limit still leaves room for a connection", "[budget]") {
  CHECK(plan_budget({.descriptors = 64}, {.own_descriptors = 60}).connections_max == 1);
  CHECK(plan_budget({.descriptors = 0}, {}).connections_max == 1);
}

TEST_CASE("threads and sockets of listeners have descriptors of their own", "[budget]") {
  runtime::ServerSpec server;
  server.runtime.forwarders = 1;
  server.runtime.acceptors = 1;
  const std::size_t small = budget::request_of({.server = server}).own_descriptors;
  server.runtime.forwarders = 4;
  server.runtime.acceptors = 2;
  runtime::ListenerSpec ports;
  ports.addresses.resize(1000);
  server.listeners.push_back(ports);
  // Three for each forwarder, four for each acceptor, and a socket of each acceptor's at each port.
  CHECK(budget::request_of({.server = server}).own_descriptors == small + 3 * 3 + 4 + 2 * 1000);
}

TEST_CASE("every forwarder has descriptors for what it keeps ready", "[budget]") {
  runtime::ServerSpec server;
  server.runtime.forwarders = 4;
  server.upstreams.emplace_back().endpoints.resize(3);
  server.upstreams.front().sources.resize(3);
  const auto own = [&] { return budget::request_of({.server = server}).own_descriptors; };
  const std::size_t without = own();
  server.upstreams.front().connect.ready = 2;
  CHECK(own() == without + 4 * 3 * 2);
  server.upstreams.front().endpoints.resize(16'384);
  server.upstreams.front().sources.resize(16'384);
  CHECK(own() == without + 4 * 1024);
  server.relay.engine = relay::EnginePolicy::uring;  // which the kernel may refuse
  CHECK(own() == without + 4 * 1024);
}

TEST_CASE("every admin address has its places, and all of them are counted", "[budget]") {
  const auto with = [](std::uint64_t descriptors, std::size_t binds) {
    return plan_budget({.descriptors = descriptors},
                       {.own_descriptors = 128, .admin_binds = binds});
  };
  CHECK(with(20'000, 0).admin_places == 0);
  CHECK(with(20'000, 1).admin_places == 64);
  CHECK(with(20'000, 8).admin_places == 64);
  // A sixteenth for all addresses, and for none of them nothing.
  CHECK(with(1'024, 1).admin_places == 64);
  CHECK(with(1'024, 8).admin_places == 8);
  CHECK(with(64, 8).admin_places == 1);
  // 7 times 64 descriptors are 224 connections less.
  const std::size_t of_one = with(20'000, 1).connections_max;
  CHECK(of_one - with(20'000, 8).connections_max == 224);
}

TEST_CASE("the memory of a control group bounds connections and held buffers", "[budget]") {
  const auto plan_with = [](std::uint64_t mebibytes, std::optional<std::size_t> asked) {
    return plan_budget({.descriptors = 20'000, .memory_bytes = mebibytes << 20},
                       {.forwarders = 2, .max_connections = asked});
  };
  const Plan plan = plan_with(64, {});
  CHECK(plan.connections_max == 1920);
  CHECK(plan.buffers_per_forwarder == 80);
  CHECK(plan.warnings.empty());
  const Plan asked = plan_with(64, 5000);
  CHECK(asked.connections_max == 1920);
  REQUIRE(asked.warnings.size() == 1);
  CHECK(asked.warnings[0].starts_with("runtime.max_connections is 5000, but 64 MiB of memory "));
  CHECK(plan_with(64, 500).connections_max == 500);
  CHECK(plan_with(64, 500).warnings.empty());
  // Enough of it changes nothing; too little leaves a proxy for a few.
  CHECK(plan_with(64 << 10, {}).connections_max == plan_with(0, {}).connections_max);
  CHECK(plan_with(64 << 10, {}).buffers_per_forwarder == base::held_buffers_max);
  CHECK(plan_with(8, {}).connections_max == 16);
  CHECK(plan_with(8, {}).buffers_per_forwarder == base::held_buffers_min);
}

TEST_CASE("health checks and lookups of names have descriptors of their own", "[budget]") {
  const Limits limits{.descriptors = 4096};
  const Plan without = plan_budget(limits, {});
  const Plan with = plan_budget(limits, {.checked_endpoints = 100, .dns_sources = 2});
  CHECK(with.checks_at_once == 100);
  CHECK(without.connections_max - with.connections_max ==
        (100 + 2 * base::descriptors_per_lookup) / base::descriptors_per_connection);
}

TEST_CASE("open files have descriptors of their own, at most an eighth of all", "[budget]") {
  const Limits limits{.descriptors = 8000};
  CHECK(plan_budget(limits, {.open_files = 500}).open_files == 500);
  const Plan many = plan_budget(limits, {.open_files = 5000});
  CHECK(many.open_files == 1000);
  CHECK(descriptors_of(many) + 1000 <= 8000);
}

TEST_CASE("where descriptors are few, health checks wait in line for a sixteenth of them",
          "[budget]") {
  const Plan plan = plan_budget({.descriptors = 1024}, {.checked_endpoints = 4096});
  CHECK(plan.checks_at_once == 64);
  CHECK(plan.connections_max > 100);
  CHECK(plan_budget({.descriptors = 1'048'576}, {.checked_endpoints = 4096}).checks_at_once ==
        base::health_checks_max);
}
