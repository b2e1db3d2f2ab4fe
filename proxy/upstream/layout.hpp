#pragma once
// Who takes new connections, in what order of preference and with what weight: one pure function of
// the endpoints' states, worked out by the control thread whenever one changes, so that a pick need
// not ask.
//
//   1. An endpoint of weight 0, or one that an operator drained or took down, never takes any.
//   2. The rest is fit (known to be up), unknown (not checked yet) or unfit (down, ejected).
//   3. New connections go to the fit ones of the lowest priority number that has any; only where
//      there is no fit one at all, to the unknown ones likewise.
//   4. Panic: where panic_threshold is not 0 and the share of usable ones among all of that
//      priority is at or below it, health is ignored there.
//   5. The other tiers, fit before unknown, serve further attempts of a connection whose first
//      failed.
//   6. Who is cut off, because this host could not go there a moment ago, comes last of all, in
//   tiers
//      of its own, and counts as usable in no panic.
//
// Slow start scales a weight down while an endpoint is new to traffic.

#include <cstdint>
#include <span>
#include <vector>

#include "base/enum_names.hpp"
#include "upstream/endpoint_state.hpp"
#include "upstream/spec.hpp"

namespace penstock::upstream {

// Why an endpoint takes new connections, or takes none.
enum class Standing : std::uint8_t {
  takes,          // it is in the first tier
  takes_retries,  // it is in a later tier
  weightless,
  draining,
  disabled,  // by an operator
  down,
  ejected,
  cut_off,  // this host could not go there a moment ago
};
inline constexpr base::EnumNames<Standing, 8> standing_names{
    {"takes", "takes_retries", "weightless", "draining", "disabled", "down", "ejected", "cut_off"}};
static_assert(standing_names[Standing::cut_off] == "cut_off");

// What is asked of an endpoint.
struct Candidate {
  std::uint32_t weight = 1;
  std::uint8_t priority = 0;
  Health health = Health::up;
  Override said = Override::up;
  bool is_ejected = false;
  bool is_cut_off = false;
  double ramp = 1.0;  // of slow start: from just above 0 to 1
  bool operator==(const Candidate&) const = default;
};

struct Tier {
  std::uint8_t priority = 0;
  std::vector<std::uint16_t> members;  // in the order of the configuration
  std::vector<std::uint16_t> order;    // of a turn of the smooth weighted round robin
};

struct Layout {
  static constexpr std::uint8_t no_tier = 0xff;
  static constexpr std::uint32_t ramp_whole = 1 << 16;

  std::vector<Tier> tiers;  // the first one is for new connections; empty: nobody takes any
  bool panics = false;      // in the first tier, which then has ejected members
  // By endpoint.
  std::vector<Standing> standing;
  std::vector<std::uint8_t> tier_of;  // or no_tier
  std::vector<std::uint32_t> weight;  // slow start applied; comparable within one layout
  std::vector<std::uint32_t> ramp;    // ramp_whole = whole
};

Layout lay_out(std::span<const Candidate> candidates, double panic_threshold);

}  // namespace penstock::upstream
