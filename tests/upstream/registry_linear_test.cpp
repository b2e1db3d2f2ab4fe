// What the registry costs grows with what there is, not with its square.

#include <memory>

#include "linear.hpp"
#include "upstream/fixture.hpp"
#include "upstream/registry.hpp"

using namespace penstock;
using namespace penstock::testing;
using upstream::Balance;

TEST_CASE("what vanished costs a refresh the same, however many upstreams there are",
          "[upstream]") {
  const auto with_vanished = [](std::size_t count) {
    std::vector<upstream::ClusterSpec> specs;
    for (std::size_t i = 0; i < count; ++i) {
      specs.push_back(web(Balance::round_robin, {endpoint("a")}));
      specs.back().name = "an-upstream-with-a-long-name-" + std::to_string(i);
    }
    auto registry = std::make_unique<upstream::Registry>(specs, beginning);
    for (const auto& each : registry->upstreams())
      registry->replace_endpoints(*each, {}, beginning);
    return registry;
  };
  constexpr std::size_t count = 2000;
  const auto once = with_vanished(count);
  const auto twice = with_vanished(2 * count);
  CHECK(growth([&](std::size_t n) { (n == count ? once : twice)->refresh(beginning); }, count) <
        linear_growth_max);
}
