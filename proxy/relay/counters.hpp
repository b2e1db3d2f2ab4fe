#pragma once
// What one forwarder's relay counts. Written by the forwarder, read by anyone.

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/counter.hpp"
#include "base/enum_names.hpp"

namespace penstock::relay {

enum class Engine : std::uint8_t { copy, splice };
inline constexpr base::EnumNames<Engine, 2> engine_names{{"copy", "splice"}};
static_assert(engine_names[Engine::splice] == "splice");

// Why a direction that wanted a pipe copied instead.
enum class Fallback : std::uint8_t {
  pool_limit,     // relay.max_pipes are leased
  no_descriptor,  // pipe2: EMFILE, ENFILE, ENOMEM
  small_pipe,     // the kernel gave a pipe below 64 KiB (pipe-user-pages-soft)
  refused,        // splice() does not work on this socket
};
inline constexpr base::EnumNames<Fallback, 4> fallback_names{
    {"pool_limit", "no_descriptor", "small_pipe", "refused"}};
static_assert(fallback_names[Fallback::refused] == "refused");

// Why a direction changed its engine.
enum class Switch : std::uint8_t {
  large_reads,   // copy to splice: one read came back large
  small_chunks,  // splice to copy: several small chunks in a row
  refused,       // splice to copy, for good
};
inline constexpr base::EnumNames<Switch, 3> switch_names{
    {"large_reads", "small_chunks", "refused"}};
static_assert(switch_names[Switch::refused] == "refused");

struct Counters {
  std::array<base::Counter, engine_names.size()>
      bytes;  // that a destination socket took, by Engine
  std::array<base::Counter, fallback_names.size()> fallbacks;
  std::array<base::Counter, switch_names.size()> switches;
  base::Counter pipes_leased;
  base::Counter pipes_idle;
  base::Counter pipes_degraded;  // smaller than asked for
  base::Counter buffers_leased;

  void moved(Engine engine, std::size_t count) noexcept {
    bytes[static_cast<std::size_t>(engine)].add(count);
  }
  void fell_back(Fallback reason) noexcept { fallbacks[static_cast<std::size_t>(reason)].add(); }
  void switched(Switch reason) noexcept { switches[static_cast<std::size_t>(reason)].add(); }
};

}  // namespace penstock::relay
