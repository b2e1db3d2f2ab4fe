#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "budget/report.hpp"
#include "catch.hpp"
#include "report/budget_text.hpp"

using namespace penstock;
using budget::Budget;
using budget::Limits;
using budget::ResourceRequest;

namespace {

Budget budget_with(const Limits& limits, const ResourceRequest& request) {
  return {limits, request, budget::plan_budget(limits, request)};
}

std::string word(const boost::json::object& json, const char* key) {
  return std::string{json.at(key).as_string()};
}

std::size_t number(const boost::json::object& json, const char* key) {
  return json.at(key).to_number<std::size_t>();
}

const Limits roomy{.descriptors = 1'048'576, .cpus = 4};

}  // namespace

TEST_CASE("the budget names the resource that ends first", "[budget]") {
  const auto first = [](const Limits& limits, const ResourceRequest& request) {
    return word(budget::budget_json(budget_with(limits, request)), "connections_end_first");
  };
  CHECK(first(roomy, {}) == "nofile");
  CHECK(first(roomy, {.max_connections = 100}) == "runtime.max_connections");
  CHECK(first({.descriptors = 1024}, {.max_connections = 100'000}) == "nofile");
  CHECK(first({.descriptors = 1'048'576, .memory_bytes = 64 << 20}, {}) == "memory.max");
  CHECK(first({.descriptors = 1'048'576, .memory_bytes = 64 << 20}, {.max_connections = 50}) ==
        "runtime.max_connections");
}

TEST_CASE("the budget says how many are spliced, why no more, and that the rest is copied",
          "[budget]") {
  const auto told = [](const Limits& limits, const ResourceRequest& request) {
    return budget::budget_json(budget_with(limits, request));
  };
  const auto of_pages = told({.descriptors = 20'000, .pipe_user_pages_soft = 16'384}, {});
  CHECK(number(of_pages, "spliced") == 104);
  CHECK(word(of_pages, "spliced_end_first") == "pipe-user-pages-soft");
  CHECK(number(of_pages, "copied") + 104 == number(of_pages, "connections_max"));
  const auto of_descriptors = told({.descriptors = 20'000}, {});
  CHECK(number(of_descriptors, "spliced") == 625);
  CHECK(word(of_descriptors, "spliced_end_first") == "nofile");
  const auto asked = told({.descriptors = 20'000}, {.max_pipes = 10});
  CHECK(number(asked, "spliced") == 5);
  CHECK(word(asked, "spliced_end_first") == "relay.max_pipes");
  const auto copying = told(roomy, {.splices = false});
  CHECK(number(copying, "spliced") == 0);
  CHECK(word(copying, "spliced_end_first") == "relay.engine");
  // With a pair of pipes for each, what bounds the connections bounds these, too.
  const auto few = told(roomy, {.max_connections = 20});
  CHECK(number(few, "spliced") == 20);
  CHECK(number(few, "copied") == 0);
  CHECK(word(few, "spliced_end_first") == "runtime.max_connections");
}

TEST_CASE("what the budget calls the room of a resource is what the plan gives", "[budget]") {
  for (const std::uint64_t descriptors : {1024U, 20'000U, 1'048'576U}) {
    const Budget budget = budget_with({.descriptors = descriptors}, {});
    const boost::json::object told = budget::budget_json(budget);
    for (const auto& row : told.at("resources").as_array())
      if (word(row.as_object(), "name") == "nofile")
        CHECK(row.at("connections").to_number<std::size_t>() == budget.plan.connections_max);
  }
}

TEST_CASE("the number of forwarders is traced to the CPUs or the quota", "[budget]") {
  const auto first = [](const Limits& limits, bool asked) {
    return word(budget::budget_json(budget_with(limits, {.forwarders_asked = asked})),
                "forwarders_end_first");
  };
  CHECK(first({.descriptors = 1024, .cpus = 4}, false) == "cpuset");
  CHECK(first({.descriptors = 1024, .cpus = 4, .cpu_quota = 1.5}, false) == "cpu.max");
  CHECK(first({.descriptors = 1024, .cpus = 2, .cpu_quota = 1.5}, false) == "cpuset");
  CHECK(first({.descriptors = 1024, .cpus = 4, .cpu_quota = 1.5}, true) == "runtime.forwarders");
}

TEST_CASE("what is used is a share of each limit, and nothing where there is none", "[budget]") {
  const Budget budget = budget_with({.descriptors = 1000,
                                     .pipe_user_pages_soft = 1600,
                                     .page_bytes = 4096,
                                     .cpus = 4,
                                     .cpu_quota = 2},
                                    {.pipe_bytes = 64 << 10, .max_connections = 100});
  const auto use = budget::budget_use(
      budget,
      {.connections = 25, .descriptors = 100, .pipes = 10, .memory_share = 0.5, .busy_cpus = 1});
  const budget::BudgetUse expected{
      {"runtime.max_connections", 0.25}, {"nofile", 0.1},  {"memory.max", 0.5},
      {"pipe-user-pages-soft", 0.1},     {"cpu.max", 0.5}, {"cpuset", 0.25}};
  CHECK(use == expected);
  for (const auto& [name, share] : budget::budget_use(budget_with({.descriptors = 64}, {}), {})) {
    CAPTURE(name);
    CHECK(share == 0);
  }
}

TEST_CASE("pipes that have grown are counted with the pages that they take", "[budget]") {
  const Budget budget = budget_with(
      {.descriptors = 20'000, .pipe_user_pages_soft = 16'384, .pipe_bytes_max = 1 << 20}, {});
  const auto used = [&](std::uint64_t pipes, std::uint64_t large) {
    for (const auto& [name, share] :
         budget::budget_use(budget, {.pipes = pipes, .large_pipes = large}))
      if (name == "pipe-user-pages-soft") return share;
    return -1.0;
  };
  CHECK(used(64, 0) == 0.25);
  CHECK(used(16, 16) == 0.25);
  const boost::json::object pipes = budget::budget_json(budget).at("pipes").as_object();
  CHECK(number(pipes, "total") == 208);
  CHECK(number(pipes, "bytes") == 256 << 10);
  CHECK(number(pipes, "grown") == 16);
  CHECK(number(pipes, "grown_bytes") == 1 << 20);
}

TEST_CASE("the budget is told to people in a table, with what to change", "[budget]") {
  const Budget budget = budget_with({.descriptors = 1'048'576,
                                     .pipe_user_pages_soft = 16'384,
                                     .memory_bytes = 64 << 20,
                                     .cpus = 4,
                                     .cpu_quota = 1.5},
                                    {.forwarders = 2});
  const std::string text = report::budget_text(budget::budget_json(budget));
  CHECK(text.starts_with(
      "at most 1920 connections at once; memory.max ends first\n"
      "of them 123 spliced in both directions at once (pipe-user-pages-soft ends first), the other "
      "1797 copied\n"
      "246 pipes of 256 KiB, 10 of them grow to 512 KiB\n"
      "2 forwarders; cpu.max ends first\n\n"));
  CHECK(text.find("\nmemory.max               64 MiB               -     1920         -        "
                  "memory.max of the control group, MemoryMax= of systemd, --memory of a "
                  "container\n") != std::string::npos);
  CHECK(text.find("\ncpu.max                  1.5 CPUs ") != std::string::npos);
}

TEST_CASE("what the kernel would cut without a word is told with its remedy", "[budget]") {
  runtime::ServerSpec spec;
  spec.listeners.resize(3);
  spec.listeners[0].session.name = "web";
  spec.listeners[1].session.name = "db";
  spec.listeners[2].session.name = "small";
  spec.listeners[2].listen.backlog = 100;
  spec.listeners[1].session.socket.receive_buffer = std::size_t{1} << 34;
  const os::SocketLimits limits{.accept_queue_max = 128};
  const auto cuts = budget::kernel_cuts(spec, limits);
  REQUIRE(cuts.size() == 2);
  CHECK(cuts[0].starts_with("receive_buffer of listener db is 17179869184 bytes"));
  CHECK(cuts[1] ==
        "backlog of listener web and 1 more is 4096, but the kernel cuts it to 128: raise "
        "net.core.somaxconn to at least 4096 (sysctl, --sysctl of a container) or ask for less");
  CHECK(budget::kernel_cuts(spec, {}).size() == 1);  // what cannot be read is not guessed
}
