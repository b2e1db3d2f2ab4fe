#pragma once
// A small generator (splitmix64, Steele et al. 2014) whose whole state is one number: the same seed
// gives the same run on every machine, which std::uniform_int_distribution does not promise.

#include <cstdint>

namespace penstock::simulation {

class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_{seed} {}

  std::uint64_t next() noexcept {
    std::uint64_t z = (state_ += 0x9e37'79b9'7f4a'7c15);
    z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9;
    z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11eb;
    return z ^ (z >> 31);
  }
  // Both ends included.
  std::uint64_t between(std::uint64_t low, std::uint64_t high) noexcept {
    return low + next() % (high - low + 1);
  }
  bool one_in(std::uint64_t n) noexcept { return n != 0 && next() % n == 0; }

 private:
  std::uint64_t state_;
};

}  // namespace penstock::simulation
