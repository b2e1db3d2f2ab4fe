#include "budget/pipe_sizes.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>

#include "base/limits.hpp"

namespace penstock::budget {

namespace {

constexpr std::size_t usual_pipes_few = 16;  // per forwarder; fewer make all smaller
constexpr std::size_t grown_pipes_few = 4;   // likewise
constexpr std::size_t memory_share = 8;

// By pages: who means "no limit" writes a number whose bytes nobody can count.
std::size_t pages_of(const Limits& limits, std::size_t bytes) noexcept {
  return std::max<std::size_t>((bytes + limits.page_bytes - 1) / limits.page_bytes, 1);
}

// Of all forwarders, by pages and memory.
std::size_t grown_within(const Limits& limits, std::size_t memory_bytes,
                         std::size_t bytes) noexcept {
  std::size_t pipes = SIZE_MAX;
  if (limits.pipe_user_pages_soft != 0)
    pipes = limits.pipe_user_pages_soft / base::grown_pipes_share / pages_of(limits, bytes);
  if (limits.memory_bytes != 0) pipes = std::min(pipes, memory_bytes / memory_share / bytes);
  return pipes;
}

void plan_growth(const Limits& limits, std::size_t forwarders, std::size_t memory_bytes,
                 PipeSizes& sizes) noexcept {
  const auto each = [&](std::size_t bytes) {
    return std::min(grown_within(limits, memory_bytes, bytes) / forwarders, base::grown_pipes_max);
  };
  std::size_t bytes = base::pipe_bytes_grown;
  if (limits.pipe_bytes_max != 0) bytes = std::min<std::size_t>(bytes, limits.pipe_bytes_max);
  while (each(bytes) < grown_pipes_few && bytes / 2 > sizes.bytes) bytes /= 2;
  if (bytes <= sizes.bytes) return;
  sizes.grown_per_forwarder = each(bytes);
  sizes.grown_bytes = sizes.grown_per_forwarder > 0 ? bytes : 0;
}

bool is_roomy(const Limits& limits, const ResourceRequest& request, std::size_t forwarders,
              std::size_t usual_pages) noexcept {
  const std::size_t pipes = usual_pages / pages_of(limits, base::pipe_bytes_usual);
  return pipes / forwarders >= usual_pipes_few && pipes >= request.max_pipes.value_or(0);
}

}  // namespace

PipeSizes pipe_sizes(const Limits& limits, const ResourceRequest& request,
                     std::size_t memory_bytes) {
  const std::size_t forwarders = std::max<std::size_t>(request.forwarders, 1);
  const std::size_t pages = limits.pipe_user_pages_soft;
  PipeSizes sizes;
  if (request.pipe_bytes) {
    sizes.bytes = std::bit_ceil(*request.pipe_bytes);  // as the kernel rounds it
    if (pages != 0) sizes.pipes_by_pages = pages / pages_of(limits, sizes.bytes);
    return sizes;
  }
  const std::size_t usual_pages = pages - pages / base::grown_pipes_share;
  sizes.bytes = pages == 0 || is_roomy(limits, request, forwarders, usual_pages)
                    ? base::pipe_bytes_usual
                    : base::pipe_bytes_min;
  plan_growth(limits, forwarders, memory_bytes, sizes);
  if (pages == 0) return sizes;
  const std::size_t grown = sizes.grown_per_forwarder * forwarders;
  const std::size_t left = pages - grown * pages_of(limits, sizes.grown_bytes);
  sizes.pipes_by_pages = left / pages_of(limits, sizes.bytes) + grown;
  return sizes;
}

}  // namespace penstock::budget
