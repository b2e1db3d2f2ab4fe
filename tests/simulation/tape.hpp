#pragma once
// What peers send. Every byte of a run comes from one pseudo-random tape; each stream begins
// elsewhere on it, so a byte of another connection, or of another place, is a wrong byte.
//
// Owner    the run. Thread: any; const after construction.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace penstock::simulation {

class Tape {
 public:
  Tape();
  // What side `side` of a connection sends from that offset on.
  void read(std::span<std::byte> into, int connection, unsigned side, std::uint64_t offset) const;
  bool has(std::span<const std::byte> bytes, int connection, unsigned side,
           std::uint64_t offset) const;

 private:
  const std::byte* at(int connection, unsigned side, std::uint64_t offset) const;
  std::vector<std::byte> bytes_;
};

}  // namespace penstock::simulation
