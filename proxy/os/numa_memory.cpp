#include "os/numa_memory.hpp"

#include <numaif.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "os/numa_node_mask.hpp"
#include "os/process.hpp"

namespace penstock::os {

namespace {

constexpr std::size_t pages_per_question = 512;
constexpr std::size_t numa_maps_bytes_max = 16 << 20;

std::optional<PagesByNode> ask_move_pages(PageRange range) {
  PagesByNode pages;
  const std::size_t page = page_bytes();
  std::array<void*, pages_per_question> at{};
  std::array<int, pages_per_question> nodes{};
  for (std::size_t done = 0; done < range.bytes;) {
    std::size_t count = 0;
    for (; count < at.size() && done < range.bytes; done += page) at[count++] = range.begin + done;
    // Without target nodes nothing moves: it only says where each page is.
    if (::move_pages(0, count, at.data(), nullptr, nodes.data(), 0) != 0) return std::nullopt;
    for (std::size_t i = 0; i < count; ++i)
      if (nodes[i] >= 0) ++pages[nodes[i]];  // else it was never touched (ENOENT)
  }
  return pages;
}

// The next word of a line that separates them by single spaces.
std::string_view take_word(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

template <class Number>
std::optional<Number> number_in(std::string_view text, int base) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// "N1=12": twelve pages on node 1.
void add_count(std::string_view word, PagesByNode& pages) {
  const std::size_t equals = word.find('=');
  if (!word.starts_with('N') || equals == std::string_view::npos) return;
  const auto node = number_in<int>(word.substr(1, equals - 1), 10);
  const auto count = number_in<std::size_t>(word.substr(equals + 1), 10);
  if (node && count) pages[*node] += *count;
}

}  // namespace

PageRange reserve_addresses(std::size_t bytes) noexcept {
  void* begin =
      ::mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (begin == MAP_FAILED) return {};
  ::madvise(begin, bytes, MADV_NOHUGEPAGE);  // EINVAL where the kernel knows none
  return {.begin = static_cast<std::byte*>(begin), .bytes = bytes};
}

void release_addresses(PageRange range) noexcept {
  ::munmap(range.begin, range.bytes);
}

bool open_pages(PageRange range) noexcept {
  return ::mprotect(range.begin, range.bytes, PROT_READ | PROT_WRITE) == 0;
}

void drop_pages(PageRange range) noexcept {
  ::madvise(range.begin, range.bytes, MADV_DONTNEED);
}

bool place_pages(PageRange range, PagePolicy policy, int node) noexcept {
  if (policy == PagePolicy::first_touch) return true;
  NodeMask mask{node};
  const int mode = policy == PagePolicy::bound ? MPOL_BIND : MPOL_PREFERRED;
  return ::mbind(range.begin, range.bytes, mode, mask.get(), NodeMask::max_node, MPOL_MF_MOVE) == 0;
}

std::optional<PagesByNode> pages_by_node(PageRange range) {
  if (auto pages = ask_move_pages(range)) return pages;
  const std::string text = read_file("/proc/self/numa_maps", numa_maps_bytes_max).text;
  if (text.empty()) return std::nullopt;
  const auto begin = reinterpret_cast<std::uintptr_t>(range.begin);
  return parse_numa_maps(text, begin, begin + range.bytes);
}

PagesByNode parse_numa_maps(std::string_view text, std::uintptr_t begin, std::uintptr_t end) {
  PagesByNode pages;
  while (!text.empty()) {
    const std::size_t length = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, length);
    text.remove_prefix(std::min(length + 1, text.size()));
    const auto at = number_in<std::uintptr_t>(take_word(line), 16);
    if (!at || *at < begin || *at >= end) continue;
    while (!line.empty()) add_count(take_word(line), pages);
  }
  return pages;
}

}  // namespace penstock::os
