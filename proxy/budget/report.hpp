#pragma once
// The budget told to people: how many connections fit, which resource ends first, what to change.
// Pure.

#include <boost/json/fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "budget/budget.hpp"

namespace penstock::budget {

// The share of each resource that is used now, from 0 to 1, by the name that budget_json() gives
// it; 0 where nothing bounds it. In a fixed order.
using BudgetUse = std::vector<std::pair<std::string_view, double>>;

// What a running proxy uses.
struct Usage {
  std::size_t connections = 0;
  std::uint64_t descriptors = 0;
  std::uint64_t pipes = 0;
  std::uint64_t large_pipes = 0;  // of them: those that have grown
  double memory_share = 0;
  double busy_cpus = 0;  // the busy shares of all forwarders, added up
};
BudgetUse budget_use(const Budget& budget, const Usage& usage);

// For GET /budget and `check --budget`; with `use` where it runs.
//
//   connections_max   at once; connections_end_first names the resource that decides
//   spliced           of them with a pipe in both directions at once; the others are copied
//   pipes             how many of how many bytes, and how many of them may grow to how many
//   resources         each with its limit, and with what it alone has room for
boost::json::object budget_json(const Budget& budget, const std::optional<BudgetUse>& use = {});

// The resource that decides how many connections fit.
std::string_view connections_end_first(const Budget& budget);

}  // namespace penstock::budget
