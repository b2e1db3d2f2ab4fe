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
  std::size_t pipe_bytes = 256 * 1024;
  std::size_t pipes_max = 0;  // per forwarder; worked out by control from `relay.max_pipes`
  std::size_t buffer_bytes = 64 * 1024;
  std::size_t zerocopy_from_bytes = 10 * 1024;
  std::size_t buffers_max = base::held_buffers_max;  // per forwarder; control cuts it to the memory
};

}  // namespace penstock::relay
