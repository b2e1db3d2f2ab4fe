#include "e2e/payload.hpp"

#include <cstdlib>
#include <iostream>
#include <vector>

#include "e2e/waiting.hpp"

namespace penstock::e2e {

namespace {

constexpr std::size_t windows = std::size_t{1} << 20;

// The splitmix64 generator of Steele, Lea and Flood, in plain arithmetic: a generator of <random>
// takes ten seconds for so much in a build without optimization.
std::vector<std::uint64_t> make_block() {
  std::vector<std::uint64_t> block((payload_bytes_max + windows) / sizeof(std::uint64_t));
  std::uint64_t* out = block.data();
  std::uint64_t* const end = out + block.size();
  for (std::uint64_t state = 0; out != end; ++out) {
    state += 0x9e37'79b9'7f4a'7c15;
    std::uint64_t word = (state ^ (state >> 30)) * 0xbf58'476d'1ce4'e5b9;
    word = (word ^ (word >> 27)) * 0x94d0'49bb'1331'11eb;
    *out = word ^ (word >> 31);
  }
  return block;
}

std::uint64_t choose_seed() {
  const char* given = std::getenv("PENSTOCK_SEED");
  const auto seed = given != nullptr
                        ? std::strtoull(given, nullptr, 10)
                        : static_cast<std::uint64_t>(Clock::now().time_since_epoch().count());
  std::cerr << "PENSTOCK_SEED=" << seed << '\n';
  return seed;
}

}  // namespace

std::string_view payload(std::uint64_t seed, std::size_t size) {
  static const std::vector<std::uint64_t> block = make_block();
  if (size > payload_bytes_max) throw Failure{"the payload is too large"};
  const std::uint64_t spread = (seed + 1) * 0x9e37'79b9'7f4a'7c15;
  const char* bytes = reinterpret_cast<const char*>(block.data());
  return {bytes + (spread >> 32) % windows, size};
}

std::uint64_t run_seed() {
  static const std::uint64_t seed = choose_seed();
  return seed;
}

}  // namespace penstock::e2e
