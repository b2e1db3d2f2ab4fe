#pragma once
// An oracle for what outside text costs: it grows as its size does.

#include <functional>
#include <string>
#include <string_view>

#include "fuzz/fuzz.hpp"
#include "linear.hpp"

namespace penstock::fuzz {

// Now and then the text is repeated until it is large: a loop in a loop shows there, whose cost for
// an input of the fuzzer's size is nothing. What is slow for its size is measured again.
inline void require_linear(std::string_view text,
                           const std::function<void(const std::string&)>& work) {
  constexpr std::size_t one_in = 64;
  constexpr std::size_t bytes = 32 * 1024;
  if (text.empty() || std::hash<std::string_view>{}(text) % one_in != 0) return;
  const auto repeated = [&](std::size_t n) {
    std::string large;
    while (large.size() < n) large += text;
    return large;
  };
  const double grown = growth([&](std::size_t n) { work(repeated(n)); }, bytes);
  require(grown < linear_growth_max, "twice the text costs twice the time");
}

}  // namespace penstock::fuzz
