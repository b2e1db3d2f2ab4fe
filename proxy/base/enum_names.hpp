#pragma once
// Names of an enumeration, in its order. A static_assert beside each table keeps both in step.

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace penstock::base {

template <class Enum, std::size_t N>
struct EnumNames {
  std::array<std::string_view, N> names;

  constexpr std::string_view operator[](Enum value) const noexcept {
    return names[static_cast<std::size_t>(value)];
  }
  constexpr std::optional<Enum> find(std::string_view name) const noexcept {
    for (std::size_t i = 0; i < N; ++i)
      if (names[i] == name) return static_cast<Enum>(i);
    return std::nullopt;
  }
  static constexpr std::size_t size() noexcept { return N; }
};

}  // namespace penstock::base
