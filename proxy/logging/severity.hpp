#pragma once
// How much a line of the log matters. Values; any thread.

#include <cstdint>

#include "base/enum_names.hpp"

namespace penstock::logging {

enum class Severity : std::uint8_t { debug, info, warning, error };
inline constexpr base::EnumNames<Severity, 4> severity_names{{"debug", "info", "warning", "error"}};
static_assert(severity_names[Severity::error] == "error");

}  // namespace penstock::logging
