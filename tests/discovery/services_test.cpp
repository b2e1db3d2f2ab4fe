#include "discovery/services.hpp"

#include "catch.hpp"

namespace penstock::discovery {

namespace {

struct Ranked {
  int priority;
  int weight;
};

// Priorities and weights of records with a target each: "0:1 0:2".
std::string ranks(const std::vector<Ranked>& records) {
  std::vector<os::ServiceRecord> all;
  for (const Ranked& record : records)
    all.push_back({.target = std::to_string(all.size()),
                   .port = 80,
                   .priority = static_cast<std::uint16_t>(record.priority),
                   .weight = static_cast<std::uint16_t>(record.weight)});
  std::string text;
  for (const Service& service : services_of(all))
    text += std::to_string(service.priority) + ':' + std::to_string(service.weight) + ' ';
  return text;
}

}  // namespace

TEST_CASE("SRV priorities become ranks from 0, in their order", "[discovery]") {
  CHECK(ranks({}).empty());
  CHECK(ranks({{65'535, 5}}) == "0:5 ");
  CHECK(ranks({{30, 1}, {10, 2}, {30, 3}, {20, 4}}) == "0:2 1:4 2:1 2:3 ");
  std::vector<Ranked> many;
  for (int i = 0; i < 20; ++i) many.push_back({i, 1});
  CHECK(ranks(many).ends_with("14:1 15:1 15:1 15:1 15:1 15:1 "));
}

TEST_CASE("an SRV weight of 0 beside others is a hundredth or less, and alone it is 1",
          "[discovery]") {
  CHECK(ranks({{0, 0}, {0, 0}}) == "0:1 0:1 ");
  CHECK(ranks({{0, 0}, {0, 3}}) == "0:1 0:300 ");
  CHECK(ranks({{0, 0}, {0, 65'535}}) == "0:1 0:65535 ");
  CHECK(ranks({{0, 0}, {0, 10'000}, {0, 1}}) == "0:1 0:60000 0:6 ");
  CHECK(ranks({{0, 0}, {1, 3}}) == "0:1 1:3 ");  // of another priority
  CHECK(ranks({{0, 2}, {0, 65'535}}) == "0:2 0:65535 ");
}

TEST_CASE("a target that an answer names twice is one, with its most preferred record",
          "[discovery]") {
  const auto services = services_of({{.target = "a", .port = 80, .priority = 2, .weight = 5},
                                     {.target = "a", .port = 80, .priority = 1, .weight = 6},
                                     {.target = "a", .port = 81, .priority = 2, .weight = 7}});
  REQUIRE(services.size() == 2);
  CHECK(services[0] == Service{.target = "a", .port = 80, .priority = 0, .weight = 6});
  CHECK(services[1] == Service{.target = "a", .port = 81, .priority = 1, .weight = 7});
}

}  // namespace penstock::discovery
