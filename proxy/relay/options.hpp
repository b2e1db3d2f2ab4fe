#pragma once
// How bytes are moved: the `relay` part of the configuration, per forwarder.

#include <cstddef>
#include <cstdint>

#include "base/enum_names.hpp"
#include "base/limits.hpp"

namespace penstock::relay {

// How a direction may move its bytes.
enum class EnginePolicy : std::uint8_t {
  adaptive,  // copy at first, splice while reads come back large; without a pipe, zerocopy
  splice,    // splice whenever a pipe can be had
  copy,      // never splice
  zerocopy,  // copy small reads, send larger ones with MSG_ZEROCOPY
  uring,     // as adaptive, on a loop of io_uring
};
inline constexpr base::EnumNames<EnginePolicy, 5> engine_policy_names{
    {"adaptive", "splice", "copy", "zerocopy", "uring"}};
static_assert(engine_policy_names[EnginePolicy::uring] == "uring");

struct Options {
  EnginePolicy engine = EnginePolicy::adaptive;
  // Worked out by control from `relay.pipe_size` and `relay.max_pipes`; numbers per forwarder.
  std::size_t pipe_bytes = base::pipe_bytes_usual;
  std::size_t pipes_max = 0;
  std::size_t grown_pipe_bytes = 0;  // of a pipe that was full again and again
  std::size_t grown_pipes_max = 0;   // of pipes_max; 0: none grows
  std::size_t buffer_bytes = 64 * 1024;
  std::size_t zerocopy_from_bytes = 10 * 1024;
  std::size_t buffers_max = base::held_buffers_max;  // per forwarder; control cuts it to the memory
  bool operator==(const Options&) const = default;
};

}  // namespace penstock::relay
