#include "simulation/tape.hpp"

#include <cstring>

#include "simulation/random.hpp"

namespace penstock::simulation {

namespace {
constexpr std::size_t period = 65'521;  // a prime: no buffer or pipe size is a multiple
constexpr std::size_t overlap = 1 << 18;
}  // namespace

Tape::Tape() : bytes_(period + overlap) {
  Random random{1};
  for (std::size_t i = 0; i < period; ++i) bytes_[i] = static_cast<std::byte>(random.next() & 0xff);
  for (std::size_t i = period; i < bytes_.size(); ++i) bytes_[i] = bytes_[i - period];
}

const std::byte* Tape::at(int connection, unsigned side, std::uint64_t offset) const {
  const auto begin = static_cast<std::uint64_t>(connection) * 7919 + side * 104'729;
  return bytes_.data() + (begin + offset) % period;
}

void Tape::read(std::span<std::byte> into, int connection, unsigned side,
                std::uint64_t offset) const {
  std::memcpy(into.data(), at(connection, side, offset), into.size());
}

bool Tape::has(std::span<const std::byte> bytes, int connection, unsigned side,
               std::uint64_t offset) const {
  return std::memcmp(bytes.data(), at(connection, side, offset), bytes.size()) == 0;
}

}  // namespace penstock::simulation
