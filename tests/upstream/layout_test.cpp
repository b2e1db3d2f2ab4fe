#include "upstream/layout.hpp"

#include <map>
#include <string>

#include "catch.hpp"

using namespace penstock::upstream;

namespace {

constexpr Candidate up{};
constexpr Candidate unknown{.health = Health::unknown};
constexpr Candidate down{.health = Health::down};
constexpr Candidate ejected_candidate{.is_ejected = true};
constexpr Candidate cut_off{.is_cut_off = true};
constexpr Candidate drained{.said = Override::drain};
constexpr Candidate disabled{.said = Override::down};
constexpr Candidate weightless{.weight = 0};

Candidate at(std::uint8_t priority, Candidate candidate) {
  candidate.priority = priority;
  return candidate;
}

Candidate weighing(std::uint32_t weight, double ramp = 1.0) {
  return {.weight = weight, .ramp = ramp};
}

// "0:ab 1:c": the tiers with their priority and who is in them.
std::string tiers(const Layout& layout) {
  std::string text;
  for (const Tier& tier : layout.tiers) {
    if (!text.empty()) text += ' ';
    text += std::to_string(tier.priority);
    text += ':';
    for (const auto member : tier.members) text += static_cast<char>('a' + member);
  }
  return text;
}

std::string tiers(const std::vector<Candidate>& candidates, double panic_threshold = 0) {
  return tiers(lay_out(candidates, panic_threshold));
}

std::map<std::uint16_t, int> turns(const Tier& tier) {
  std::map<std::uint16_t, int> count;
  for (const auto index : tier.order) ++count[index];
  return count;
}

}  // namespace

TEST_CASE("all that are up share the first tier", "[upstream]") {
  REQUIRE(tiers({up, up, up}) == "0:abc");
  REQUIRE(tiers(std::vector<Candidate>{}).empty());
}

TEST_CASE("who is down, ejected, drained, disabled or weightless is in no tier", "[upstream]") {
  const auto layout = lay_out({{up, down, ejected_candidate, drained, disabled, weightless}}, 0);
  REQUIRE(tiers(layout) == "0:a");
  REQUIRE(layout.standing == std::vector{Standing::takes, Standing::down, Standing::ejected,
                                         Standing::draining, Standing::disabled,
                                         Standing::weightless});
  for (std::size_t i = 1; i < 6; ++i) REQUIRE(layout.tier_of[i] == Layout::no_tier);
  REQUIRE(tiers({down, ejected_candidate, drained, disabled, weightless}).empty());
}

TEST_CASE("an operator's word counts before an ejection, and that before health", "[upstream]") {
  const Candidate all{.health = Health::down, .said = Override::drain, .is_ejected = true};
  const Candidate both{.health = Health::down, .is_ejected = true};
  REQUIRE(lay_out({{all, both}}, 0).standing == std::vector{Standing::draining, Standing::ejected});
}

TEST_CASE("the lowest priority number serves, the others serve retries in order", "[upstream]") {
  const auto layout = lay_out({{at(15, up), at(1, up), at(0, up), at(1, up)}}, 0);
  REQUIRE(tiers(layout) == "0:c 1:bd 15:a");
  REQUIRE(layout.standing == std::vector{Standing::takes_retries, Standing::takes_retries,
                                         Standing::takes, Standing::takes_retries});
  REQUIRE(layout.tier_of == std::vector<std::uint8_t>{2, 1, 0, 1});
}

TEST_CASE("sixteen priorities make sixteen tiers", "[upstream]") {
  std::vector<Candidate> candidates;
  for (std::uint8_t priority = 0; priority < 16; ++priority) {
    candidates.push_back(at(15 - priority, up));
    candidates.push_back(at(15 - priority, unknown));
  }
  const auto layout = lay_out(candidates, 0);
  REQUIRE(layout.tiers.size() == 32);
  for (std::uint8_t i = 0; i < 32; ++i) REQUIRE(layout.tiers[i].priority == i % 16);
}

TEST_CASE("a backup takes over only when nobody before it is fit", "[upstream]") {
  REQUIRE(tiers({down, at(1, up)}) == "1:b");
  REQUIRE(tiers({ejected_candidate, drained, at(1, up)}) == "1:c");
  REQUIRE(tiers({down, up, at(1, up)}) == "0:b 1:c");
}

TEST_CASE("the unknown serve new connections only where nobody is known to be up", "[upstream]") {
  REQUIRE(tiers({unknown, unknown}) == "0:ab");
  REQUIRE(tiers({unknown, down}) == "0:a");
  REQUIRE(tiers({unknown, up}) == "0:b 0:a");
  REQUIRE(tiers({unknown, at(1, up)}) == "1:b 0:a");
  REQUIRE(tiers({unknown, at(1, up), at(1, unknown), at(2, up)}) == "1:b 2:d 0:a 1:c");
}

TEST_CASE("panic ignores health at and below its threshold", "[upstream]") {
  REQUIRE(tiers({up, down, down, down}, 0.25) == "0:abcd");
  REQUIRE(tiers({up, down, down, down}, 0.24) == "0:a");
  REQUIRE(tiers({up, up, down, down}, 0.49) == "0:ab");
  REQUIRE(tiers({up, up, down, down}, 0.5) == "0:abcd");
  REQUIRE(tiers({down, ejected_candidate}, 0.01) == "0:ab");
}

TEST_CASE("a share that no binary fraction holds is met exactly", "[upstream]") {
  for (int fit = 0; fit < 100; ++fit) {
    std::vector<Candidate> candidates(100, down);
    for (int i = 0; i < fit; ++i) candidates[static_cast<std::size_t>(i)] = up;
    CAPTURE(fit);
    REQUIRE(lay_out(candidates, fit / 100.0).panics == (fit > 0));
    REQUIRE_FALSE(lay_out(candidates, std::max(fit - 1, 0) / 100.0).panics);
  }
}

TEST_CASE("a panic threshold of 0 % never panics, one of 100 % needs somebody unfit",
          "[upstream]") {
  const auto never = lay_out({{down, down}}, 0);
  REQUIRE(never.tiers.empty());
  REQUIRE_FALSE(never.panics);
  REQUIRE_FALSE(lay_out({{up, up}}, 1.0).panics);
  REQUIRE(lay_out({{up, down}}, 1.0).panics);
}

TEST_CASE("panic includes the unfit with their weights and says so", "[upstream]") {
  const auto layout =
      lay_out({{down, ejected_candidate, Candidate{.weight = 2, .health = Health::down}}}, 0.5);
  REQUIRE(layout.panics);
  REQUIRE(layout.standing == std::vector{Standing::takes, Standing::takes, Standing::takes});
  REQUIRE(turns(layout.tiers.front()) == std::map<std::uint16_t, int>{{0, 1}, {1, 1}, {2, 2}});
}

TEST_CASE("an operator and weight 0 hold even in panic", "[upstream]") {
  const auto layout = lay_out({{drained, disabled, weightless, down}}, 1.0);
  REQUIRE(tiers(layout) == "0:d");
  REQUIRE(layout.panics);
  const auto nobody = lay_out({{drained, disabled, weightless}}, 1.0);
  REQUIRE(nobody.tiers.empty());
  REQUIRE_FALSE(nobody.panics);
}

TEST_CASE("who may take none does not count among those whose share may panic", "[upstream]") {
  REQUIRE(tiers({up, drained, disabled, weightless}, 0.5) == "0:a");
}

TEST_CASE("panic looks at the priority that serves, and leaves the others", "[upstream]") {
  REQUIRE(tiers({down, at(1, up)}, 0.5) == "1:b");
  REQUIRE(tiers({down, at(1, up), at(1, down)}, 0.5) == "1:bc");
  REQUIRE(tiers({up, down, at(1, up), at(1, down)}, 0.5) == "0:ab 1:c");
  REQUIRE(tiers({down, at(1, down)}, 0.5) == "0:a");
  REQUIRE(tiers({drained, at(1, down)}, 0.5) == "1:b");
}

TEST_CASE("panic takes the unknown of its priority in", "[upstream]") {
  const auto layout = lay_out({{up, down, unknown}}, 0.5);
  REQUIRE(layout.tiers.front().members.size() == 3);
  REQUIRE(layout.tier_of == std::vector<std::uint8_t>{0, 0, 0});
  REQUIRE(layout.standing == std::vector{Standing::takes, Standing::takes, Standing::takes});
  REQUIRE(tiers({unknown, down, down}, 0.4) == "0:abc");
}

TEST_CASE("turns go by weight, in lowest terms", "[upstream]") {
  const auto layout = lay_out({{weighing(500), weighing(300), weighing(200)}}, 0);
  REQUIRE(turns(layout.tiers.front()) == std::map<std::uint16_t, int>{{0, 5}, {1, 3}, {2, 2}});
  REQUIRE(layout.weight == std::vector<std::uint32_t>{500, 300, 200});
}

TEST_CASE("the share of those that are down is shared out by weight", "[upstream]") {
  const auto layout =
      lay_out({{weighing(5), Candidate{.weight = 3, .health = Health::down}, weighing(2)}}, 0);
  REQUIRE(turns(layout.tiers.front()) == std::map<std::uint16_t, int>{{0, 5}, {2, 2}});
}

TEST_CASE("slow start scales a weight down, never to nothing", "[upstream]") {
  const auto layout = lay_out({{weighing(2), weighing(2, 0.1)}}, 0);
  REQUIRE(turns(layout.tiers.front()) == std::map<std::uint16_t, int>{{0, 10}, {1, 1}});
  REQUIRE(layout.ramp[0] == Layout::ramp_whole);
  REQUIRE(layout.ramp[1] == Layout::ramp_whole / 10);
  const auto least = lay_out({{weighing(1), weighing(1, 1e-9)}}, 0);
  REQUIRE(turns(least.tiers.front()) == std::map<std::uint16_t, int>{{0, 100}, {1, 1}});
}

TEST_CASE("a ramp of one changes no proportion between the others", "[upstream]") {
  for (int step = 1; step <= 10; ++step) {
    const auto layout = lay_out({{weighing(5), weighing(3), weighing(2, step / 10.0)}}, 0);
    const auto count = turns(layout.tiers.front());
    CAPTURE(step);
    REQUIRE(count.at(0) * 3 == count.at(1) * 5);
    REQUIRE(count.at(0) * 2 * step == count.at(2) * 5 * 10);
    REQUIRE(layout.weight[0] * 3 == layout.weight[1] * 5);
  }
}

TEST_CASE("a ramp gives no weight to who has none", "[upstream]") {
  const auto layout = lay_out({{up, Candidate{.weight = 0, .ramp = 0.5}}}, 0);
  REQUIRE(layout.weight[1] == 0);
  REQUIRE(tiers(layout) == "0:a");
}

TEST_CASE("who is cut off comes last of all, by priority", "[upstream]") {
  constexpr Candidate unknown_and_cut_off{.health = Health::unknown, .is_cut_off = true};
  const auto layout =
      lay_out({{cut_off, at(1, up), unknown, at(2, cut_off), unknown_and_cut_off}}, 0);
  REQUIRE(tiers(layout) == "1:b 0:c 0:a 2:d 0:e");
  REQUIRE(layout.standing == std::vector{Standing::cut_off, Standing::takes,
                                         Standing::takes_retries, Standing::cut_off,
                                         Standing::cut_off});
  REQUIRE(tiers({cut_off, cut_off}) == "0:ab");
}

TEST_CASE("who is cut off neither causes a panic nor takes part in one", "[upstream]") {
  REQUIRE_FALSE(lay_out({{up, cut_off, cut_off}}, 0.5).panics);
  const auto layout = lay_out({{down, cut_off, down}}, 0.5);
  REQUIRE(layout.panics);
  REQUIRE(layout.tiers.front().members == std::vector<std::uint16_t>{0, 2});
}
