#pragma once
// What the directions of one forwarder share: the scratch buffer, the pools, the options.
//
// Owner    the forwarder. Thread   its own.

#include <cstddef>
#include <memory>
#include <memory_resource>
#include <span>

#include "base/time.hpp"
#include "relay/buffer_pool.hpp"
#include "relay/counters.hpp"
#include "relay/options.hpp"
#include "relay/pipe_pool.hpp"

namespace penstock::relay {

class Workspace {
 public:
  // Throws std::bad_alloc (start-up only).
  Workspace(const Options& options, std::pmr::memory_resource& memory)
      : options_{options},
        memory_{memory},
        scratch_{static_cast<std::byte*>(memory.allocate(options.buffer_bytes, page))},
        buffers_{options.buffers_max, options.buffer_bytes, memory, counters_},
        pipes_{options.pipes_max, options.pipe_bytes, memory, counters_} {}
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace() { memory_.deallocate(scratch_, options_.buffer_bytes, page); }

  const Options& options() const noexcept { return options_; }
  // One read's worth of bytes; what a read put there is sent or held before the next read.
  std::span<std::byte> scratch() noexcept { return {scratch_, options_.buffer_bytes}; }
  BufferPool& buffers() noexcept { return buffers_; }
  PipePool& pipes() noexcept { return pipes_; }
  Counters& counters() noexcept { return counters_; }
  const Counters& counters() const noexcept { return counters_; }

  base::Instant now{};  // of this wake-up; set by the forwarder

 private:
  static constexpr std::size_t page = 4096;
  const Options options_;
  std::pmr::memory_resource& memory_;
  std::byte* const scratch_;
  Counters counters_;
  BufferPool buffers_;
  PipePool pipes_;
};

}  // namespace penstock::relay
