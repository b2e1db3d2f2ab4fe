#pragma once
// What is said to make a server fast on a machine of several NUMA nodes, line by line, and whether
// it is so here. Pure.

#include <string>
#include <vector>

#include "base/enum_names.hpp"
#include "report/numa/report.hpp"

namespace penstock::report {

enum class Verdict : std::uint8_t { kept, not_kept, not_applicable };
inline constexpr base::EnumNames<Verdict, 3> verdict_names{{"kept", "not kept", "not applicable"}};
static_assert(verdict_names[Verdict::not_applicable] == "not applicable");

struct ChecklistLine {
  std::string text;
  Verdict verdict;
  std::string why;
};

// REQUIRES: report.is_running.
std::vector<ChecklistLine> numa_checklist(const NumaReport& report);

}  // namespace penstock::report
