// What is asked of all upstreams costs what their number says.

#include <map>
#include <memory>

#include "linear.hpp"
#include "upstream/fixture.hpp"

using namespace penstock;
using namespace penstock::testing;
using namespace penstock::upstream;

namespace {

// So many upstreams, each with one endpoint.
std::unique_ptr<Registry> registry_of(std::size_t count) {
  std::vector<ClusterSpec> specs;
  for (std::size_t i = 0; i < count; ++i) {
    specs.push_back(web(Balance::first, {endpoint("a")}));
    specs.back().name = "upstream-" + std::to_string(i);
  }
  return std::make_unique<Registry>(specs, beginning);
}

constexpr std::size_t upstreams = 1'500;

// Of the work, with all upstreams that growth() may ask for there beforehand.
double growth_of(const std::function<void(Registry&)>& prepare,
                 const std::function<void(Registry&)>& work) {
  std::map<std::size_t, std::unique_ptr<Registry>> registries;
  for (const std::size_t count : {upstreams, 2 * upstreams, 8 * upstreams}) {
    registries[count] = registry_of(count);
    prepare(*registries[count]);
  }
  return growth([&](std::size_t n) { work(*registries.at(n)); }, upstreams);
}

void judge_all(Registry& registry) {
  for (const auto& upstream : registry.upstreams())
    for (const auto& endpoint : upstream->cluster().endpoints())
      registry.set_health(*endpoint.live, Health::up, "a check passed", beginning);
}

// Every endpoint goes, and has a connection left.
void remove_all(Registry& registry) {
  for (const auto& upstream : registry.upstreams()) {
    for (const auto& endpoint : upstream->cluster().endpoints()) endpoint.live->active = 1;
    registry.replace_endpoints(*upstream, {}, beginning);
  }
}

}  // namespace

TEST_CASE("judging endpoints costs what their number says", "[upstream]") {
  CHECK(growth_of([](Registry&) {}, judge_all) < linear_growth_max);
}

TEST_CASE("looking after endpoints that left costs what their number says", "[upstream]") {
  const auto look = [](Registry& registry) {
    REQUIRE(registry.leaving().size() == registry.upstreams().size());
    REQUIRE(registry.leaving().back().size() == 1);
    registry.refresh(beginning);
  };
  CHECK(growth_of(remove_all, look) < linear_growth_max);
}
