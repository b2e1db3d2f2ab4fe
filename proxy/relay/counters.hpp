#pragma once
// What one forwarder's relay counts. Written by the forwarder, read by anyone.

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/counter.hpp"
#include "base/enum_names.hpp"

namespace penstock::relay {

enum class Engine : std::uint8_t {
  copy,      // recv and send by call
  splice,    // through a pipe
  zerocopy,  // recv by call, send with MSG_ZEROCOPY, whether the kernel copied or not
  ring,      // received by the loop's io_uring, sent by call
};
inline constexpr base::EnumNames<Engine, 4> engine_names{{"copy", "splice", "zerocopy", "ring"}};
static_assert(engine_names[Engine::ring] == "ring");

// Why a direction that wanted a pipe did without.
enum class Fallback : std::uint8_t {
  pool_limit,     // relay.max_pipes are leased
  no_descriptor,  // pipe2: EMFILE, ENFILE, ENOMEM
  small_pipe,     // the kernel gave a pipe below 64 KiB (pipe-user-pages-soft)
  refused,        // splice() does not work on this socket
};
inline constexpr base::EnumNames<Fallback, 4> fallback_names{
    {"pool_limit", "no_descriptor", "small_pipe", "refused"}};
static_assert(fallback_names[Fallback::refused] == "refused");

// Why a direction that wanted to send with MSG_ZEROCOPY sent with a copy.
enum class ZerocopyFallback : std::uint8_t {
  refused,          // the socket does not take it
  no_notice,        // ENOBUFS: net.core.optmem_max, RLIMIT_MEMLOCK
  in_flight_limit,  // too many buffers wait for their notice: of the direction, or of all
};
inline constexpr base::EnumNames<ZerocopyFallback, 3> zerocopy_fallback_names{
    {"refused", "no_notice", "in_flight_limit"}};
static_assert(zerocopy_fallback_names[ZerocopyFallback::in_flight_limit] == "in_flight_limit");

// Why a direction changed its engine.
enum class Switch : std::uint8_t {
  large_reads,    // copy to splice: one read came back large
  small_chunks,   // splice to copy: several small chunks in a row
  refused,        // splice to copy, for good
  no_pipe,        // splice to zerocopy: there is no pipe for what is large
  large_sends,    // copy to zerocopy: one read reached the threshold
  small_sends,    // zerocopy to copy: several in a row did not
  kernel_copied,  // zerocopy to copy: a notice said so
  not_supported,  // zerocopy to copy, for good: this kind of socket does not take it
};
inline constexpr base::EnumNames<Switch, 8> switch_names{{"large_reads", "small_chunks", "refused",
                                                          "no_pipe", "large_sends", "small_sends",
                                                          "kernel_copied", "not_supported"}};
static_assert(switch_names[Switch::not_supported] == "not_supported");

struct Counters {
  std::array<base::Counter, engine_names.size()>
      bytes;  // that a destination socket took, by Engine
  std::array<base::Counter, fallback_names.size()> fallbacks;
  std::array<base::Counter, zerocopy_fallback_names.size()> zerocopy_fallbacks;
  std::array<base::Counter, switch_names.size()> switches;
  base::Counter pipes_leased;
  base::Counter pipes_idle;
  base::Counter pipes_large;     // of both: those that have grown
  base::Counter pipes_degraded;  // smaller than asked for
  base::Counter buffers_leased;
  base::Counter zerocopy_sends;      // that have had their notice
  base::Counter zerocopy_copied;     // of them, with a copy after all
  base::Counter zerocopy_abandoned;  // buffers whose pages were given away instead

  void moved(Engine engine, std::size_t count) noexcept {
    bytes[static_cast<std::size_t>(engine)].add(count);
  }
  void fell_back(Fallback reason) noexcept { fallbacks[static_cast<std::size_t>(reason)].add(); }
  void fell_back(ZerocopyFallback reason) noexcept {
    zerocopy_fallbacks[static_cast<std::size_t>(reason)].add();
  }
  void switched(Switch reason) noexcept { switches[static_cast<std::size_t>(reason)].add(); }
};

}  // namespace penstock::relay
