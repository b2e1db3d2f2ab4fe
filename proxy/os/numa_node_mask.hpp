#pragma once
// One NUMA node as mbind(2) and its sisters take it.

#include <array>
#include <climits>
#include <cstddef>

namespace penstock::os {

// As the memory policy calls take it: MAX_NUMNODES is at most 1024.
class NodeMask {
 public:
  static constexpr unsigned long bits = 1024;
  NodeMask() = default;
  explicit NodeMask(int node) noexcept {
    const auto at = static_cast<std::size_t>(node);
    if (at < bits) words_[at / word_bits] = 1UL << (at % word_bits);
  }
  unsigned long* get() noexcept { return words_.data(); }
  // The calls take one more than they look at.
  static constexpr unsigned long max_node = bits + 1;

 private:
  static constexpr std::size_t word_bits = sizeof(unsigned long) * CHAR_BIT;
  std::array<unsigned long, bits / word_bits + 1> words_{};
};

}  // namespace penstock::os
