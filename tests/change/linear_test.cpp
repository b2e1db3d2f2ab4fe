// What a difference costs.

#include "linear.hpp"
#include "change/change.hpp"
#include "config/config.hpp"

#include "catch.hpp"

using namespace penstock;

namespace {

runtime::ListenerSpec listener(std::size_t number) {
  runtime::ListenerSpec listener;
  listener.session.name = "listener " + std::to_string(number);
  listener.addresses = {os::SocketAddress::unix_path('@' + std::to_string(number))};
  return listener;
}

upstream::EndpointSpec endpoint(std::size_t number) {
  return {.identity = "endpoint " + std::to_string(number), .address = {}};
}

// From `first` on: n listeners, n upstreams, and n endpoints of another one.
config::Config numbered(std::size_t first, std::size_t n) {
  config::Config config;
  upstream::ClusterSpec& large = config.server.upstreams.emplace_back();
  for (std::size_t i = first; i < first + n; ++i) {
    config.server.listeners.push_back(listener(i));
    large.sources.emplace_back(endpoint(i));
  }
  for (std::size_t i = first; i < first + n; ++i)
    config.server.upstreams.emplace_back().name = std::to_string(i);
  return config;
}

}  // namespace

TEST_CASE("a difference costs what the number of things says, whatever becomes of them",
          "[change]") {
  constexpr std::size_t some = 500;
  CHECK(growth(
            [](std::size_t n) {
              // A half goes, a half stays, a half is new.
              const change::Change change = change::difference(numbered(0, n), numbered(n / 2, n));
              CHECK(change.listeners.size() == n / 2 + n);
              CHECK(change.upstreams.size() == 1 + n / 2 + n);
              CHECK(change.upstreams.front().endpoints.size() == n / 2 * 2);
            },
            some) < linear_growth_max);
}
