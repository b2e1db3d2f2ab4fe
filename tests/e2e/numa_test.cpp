// Placement where the kernel does not allow it: as in a container under the usual seccomp profile,
// which refuses mbind, set_mempolicy, get_mempolicy and move_pages.

#include <boost/json/parse.hpp>

#include "catch.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/penstock.hpp"

using namespace penstock::e2e;

namespace {

std::size_t count_of(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("where memory policies are refused the proxy runs, and says so once, on several nodes",
          "[limits]") {
  Origin origin;
  origin.serve(echo);
  Plan plan{.endpoints = {origin.address()}, .runtime = "forwarders: 2"};
  plan.program.no_memory_policies = true;
  Penstock penstock{std::move(plan)};
  penstock.wait_for_metric("penstock_numa_refused", {{"what", "arena"}}, 2);
  penstock.wait_for_metric("penstock_numa_refused", {{"what", "policy"}}, 3);
  penstock.wait_for_metric("penstock_numa_refused", {{"what", "pin"}}, 0);
  Peer client = penstock.client();
  client.send("hello");
  CHECK(client.read(5) == "hello");
  client.finish_sending();
  client.read_to_end();
  const auto numa = boost::json::parse(http(penstock.admin(), "GET", "/numa").body);
  for (const auto& thread : numa.at("threads").as_array()) {
    CHECK(thread.at("seen").at("pinned") == true);
    const auto* const arena = thread.as_object().if_contains("arena");
    if (arena == nullptr) continue;
    CHECK(arena->at("placed") == false);
    // Of /proc/self/numa_maps, where move_pages is refused.
    CHECK_FALSE(arena->at("pages_by_node").as_object().empty());
  }
  const bool has_several_nodes = numa.at("nodes").as_array().size() > 1;
  const std::string refusal =
      "the kernel refused the memory policy to 3 of 3 threads, and to 2 of 2";
  const auto said = [&] { return count_of(penstock.program().errors(), refusal); };
  if (has_several_nodes) wait_until("the log speaks of it", [&] { return said() > 0; });
  penstock.stop();
  CHECK(count_of(penstock.program().errors(), "refused") == (has_several_nodes ? 1 : 0));
}

TEST_CASE("where memory policies are refused strict does not start, and says what to do",
          "[limits]") {
  const TemporaryFolder folder;
  const std::string file = folder.write(
      "strict.yaml", yaml_from({.endpoints = {"127.0.0.1:3000"}, .runtime = "numa: strict"},
                               free_address(), free_address()));
  Program::Options options;
  options.no_memory_policies = true;
  const Finished run = run_program({penstock_binary(), "run", "-c", file}, std::move(options));
  CHECK(run.exit_code != 0);
  CHECK(run.errors.find("runtime.numa: strict cannot be kept: get_mempolicy") != std::string::npos);
  CHECK(run.errors.find("CAP_SYS_NICE") != std::string::npos);
}

TEST_CASE("of a running proxy the report has threads, arenas and a checklist", "[limits]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}, .runtime = "forwarders: 2, acceptors: 2"}};
  const Finished numa =
      run_program({penstock_binary(), "ctl", "--admin", penstock.admin(), "numa"});
  CHECK(numa.exit_code == 0);
  for (const char* part : {"acceptor-1", "forwarder-1", "ARENA OF", "Checklist",
                           "acceptor-0 accepted 0 connections", "to acceptor-0 to -1, at random"}) {
    INFO(part);
    CHECK(numa.output.find(part) != std::string::npos);
  }
}
