#pragma once
// The states of an endpoint, and where each comes from. docs/OPERATIONS.md, "Health", tells them
// to users.

#include <cstdint>

#include "base/enum_names.hpp"

namespace penstock::upstream {

// What active checks found. Without checks an endpoint is up.
enum class Health : std::uint8_t { unknown, up, down };
inline constexpr base::EnumNames<Health, 3> health_names{{"unknown", "up", "down"}};
static_assert(health_names[Health::down] == "down");

// What an operator said; `up` = nothing, the rest counts before everything else.
enum class Override : std::uint8_t { up, drain, down };
inline constexpr base::EnumNames<Override, 3> override_names{{"up", "drain", "down"}};
static_assert(override_names[Override::down] == "down");

// What a user sees: operator before passive health before active health.
enum class State : std::uint8_t { up, down, draining, ejected, unknown };
inline constexpr base::EnumNames<State, 5> state_names{
    {"up", "down", "draining", "ejected", "unknown"}};
static_assert(state_names[State::unknown] == "unknown");

constexpr State state_of(Override said, bool is_ejected, Health health) noexcept {
  if (said == Override::down) return State::down;
  if (said == Override::drain) return State::draining;
  if (is_ejected) return State::ejected;
  switch (health) {
    case Health::unknown: return State::unknown;
    case Health::up: return State::up;
    case Health::down: break;
  }
  return State::down;
}

}  // namespace penstock::upstream
