#pragma once
// The pipes of a proxy, looked at from outside: what FIONREAD and F_GETPIPE_SZ say of each.
//
// Thread   any. Needs the right to open /proc/PID/fd of the program: its own user's, or root's.

#include <cstddef>
#include <vector>

#include "e2e/program.hpp"

namespace penstock::e2e {

struct PipeFill {
  std::size_t bytes;
  std::size_t capacity;
};

// Of all pipes but those that are stdin, stdout and stderr.
std::vector<PipeFill> relay_pipes(const Program& program);
// Those that hold bytes.
std::vector<PipeFill> filled_pipes(const Program& program);
// The same once there are `count` of them: a busy machine may let the proxy wait.
std::vector<PipeFill> await_filled_pipes(const Program& program, std::size_t count);

}  // namespace penstock::e2e
