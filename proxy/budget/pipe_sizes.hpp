#pragma once
// How large pipes are, and how many of them may grow: by the pages that the kernel lets this user
// have in pipes, and by the memory of the control group. Pure.

#include <cstddef>
#include <optional>

#include "budget/budget.hpp"

namespace penstock::budget {

struct PipeSizes {
  std::size_t bytes = 0;                        // of a new pipe
  std::size_t grown_bytes = 0;                  // of one that has grown
  std::size_t grown_per_forwarder = 0;          // 0: none grows
  std::optional<std::size_t> pipes_by_pages{};  // of both kinds, so that all are whole
};

// A size that was asked for is that of all pipes. `auto` is 256 KiB, where that leaves each
// forwarder 16 of them and all that were asked for, else 64 KiB. Those that grow become 1 MiB,
// where fs.pipe-max-size allows it and each forwarder then has 4 of them, else the next smaller
// power of two. They have at most a quarter of the pages and, where a group limits memory, an
// eighth of `memory_bytes`.
PipeSizes pipe_sizes(const Limits& limits, const ResourceRequest& request,
                     std::size_t memory_bytes);

}  // namespace penstock::budget
