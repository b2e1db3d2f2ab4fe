#pragma once
// The version of this build, as CMake knows it.

#include <string_view>

namespace penstock::base {

std::string_view version() noexcept;

}  // namespace penstock::base
