#pragma once
// What this machine makes of a configuration. The configuration stays what the file said: it can be
// shown, compared with the next one, and planned anew where the limits have changed.
//
// Thread   any. Asks the machine how many CPUs and nodes there are, and what it grants a socket;
//          the limits are given.

#include "budget/budget.hpp"
#include "runtime/options.hpp"

namespace penstock::config {
struct Config;
}

namespace penstock::control {

struct Plan {
  budget::Budget budget;       // how much of what was asked for fits, and why no more
  runtime::ServerSpec server;  // as configured, with what is `auto` worked out, cut to what fits
};

Plan plan_of(const config::Config& config, const budget::Limits& limits);

}  // namespace penstock::control
