#pragma once
// One upstream with endpoints a, b, c ... that are dialled by nobody.

#include <algorithm>
#include <string>
#include <vector>

#include "catch.hpp"
#include "upstream/registry.hpp"

namespace penstock::testing {

inline const base::Instant beginning{std::chrono::hours{1}};

inline upstream::EndpointSpec endpoint(const std::string& identity, std::uint32_t weight = 1,
                                       std::uint8_t priority = 0,
                                       std::uint32_t max_connections = 0) {
  // Different names are different machines; one name is always the same.
  std::uint32_t number = 0;
  for (const char letter : identity) number = number * 31 + static_cast<unsigned char>(letter);
  os::IpEndpoint address = os::parse_socket_address("10.0.0.0:80")->ip();
  for (std::size_t i = 1; i < 4; ++i)
    address.bytes[i] = static_cast<std::uint8_t>(number >> (8 * (3 - i)));
  return {.identity = identity,
          .address = os::SocketAddress{address},
          .weight = weight,
          .priority = priority,
          .max_connections = max_connections};
}

inline upstream::ClusterSpec web(upstream::Balance balance,
                                 std::vector<upstream::EndpointSpec> endpoints) {
  upstream::ClusterSpec spec;
  spec.name = "web";
  spec.balance = balance;
  spec.endpoints = std::move(endpoints);
  return spec;
}

// `count` endpoints e0, e1 ... of weight 1.
inline std::vector<upstream::EndpointSpec> many(std::size_t count) {
  std::vector<upstream::EndpointSpec> endpoints;
  for (std::size_t i = 0; i < count; ++i) endpoints.push_back(endpoint("e" + std::to_string(i)));
  return endpoints;
}

struct Fixture {
  explicit Fixture(const upstream::ClusterSpec& spec)
      : registry{{spec}, beginning}, upstream{*registry.upstreams().front()} {}
  Fixture(upstream::Balance balance, const std::vector<std::uint32_t>& weights)
      : Fixture{web(balance, lettered(weights))} {}

  const upstream::Cluster& cluster() const { return upstream.cluster(); }
  upstream::LiveRecord& live(std::size_t index) const { return *cluster().endpoints()[index].live; }
  // The identity, or "full" or "nobody". Keeps the place.
  std::string take(std::uint64_t key = 0, const upstream::Tried& tried = {}) {
    auto taken = upstream.take(key, tried, false, now);
    switch (taken.outcome) {
      case upstream::Pick::Outcome::picked:
        return kept.emplace_back(std::move(taken.lease)).endpoint()->identity;
      case upstream::Pick::Outcome::full: return "full";
      case upstream::Pick::Outcome::nobody: break;
    }
    return "nobody";
  }
  // As take(), and gives the place back.
  std::string visit(std::uint64_t key = 0, const upstream::Tried& tried = {}) {
    const auto taken = upstream.take(key, tried, false, now);
    return taken.lease.is_held() ? taken.lease.endpoint()->identity : "nobody";
  }
  // One of those that take() has kept there.
  void give_back(std::size_t index) {
    const auto found = std::find_if(kept.begin(), kept.end(), [&](const upstream::Lease& lease) {
      return lease.endpoint() == &live(index);
    });
    REQUIRE(found != kept.end());
    kept.erase(found);
  }
  std::string visits(int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += visit();
    return text;
  }
  void said(std::size_t index, upstream::Health health) {
    registry.set_health(live(index), health, "", now);
    registry.refresh(now);
  }
  void said(std::size_t index, upstream::Override override) {
    registry.set_override(live(index), override, now);
    registry.refresh(now);
  }

  base::Instant now = beginning;
  upstream::Registry registry;
  upstream::Upstream& upstream;
  std::vector<upstream::Lease> kept;

 private:
  static std::vector<upstream::EndpointSpec> lettered(const std::vector<std::uint32_t>& weights) {
    std::vector<upstream::EndpointSpec> endpoints;
    for (std::size_t i = 0; i < weights.size(); ++i)
      endpoints.push_back(endpoint(std::string(1, static_cast<char>('a' + i)), weights[i]));
    return endpoints;
  }
};

}  // namespace penstock::testing
