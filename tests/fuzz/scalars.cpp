// Durations, sizes, shares, integers: a value prints to a text of the same value, and a refusal
// leaves the target as it was.

#include "config/scalars.hpp"

#include <string>

#include "fuzz/fuzz.hpp"

namespace {

using namespace penstock;

void duration(std::string_view text) {
  const base::Duration before = std::chrono::hours{7};
  base::Duration value = before;
  if (!config::parse_duration(text, value).empty())
    return fuzz::require(value == before, "a refusal leaves the target");
  fuzz::require(value.count() >= 0 && value <= config::duration_max,
                "a duration is within its bounds");
  base::Duration again{1};
  fuzz::require(
      config::parse_duration(config::duration_text(value), again).empty() && again == value,
      "a duration survives its text");
}

void size(std::string_view text) {
  const std::uint64_t before = 7;
  std::uint64_t value = before;
  if (!config::parse_size(text, 0, ~std::uint64_t{0}, value).empty())
    return fuzz::require(value == before, "a refusal leaves the target");
  std::uint64_t again = 1;
  fuzz::require(config::parse_size(config::size_text(value), 0, ~std::uint64_t{0}, again).empty() &&
                    again == value,
                "a size survives its text");
}

void others(std::string_view text) {
  double share = 2;
  if (config::parse_percent(text, share).empty())
    fuzz::require(share >= 0 && share <= 1, "a share lies between 0 and 1");
  else
    fuzz::require(share == 2, "a refusal leaves the target");
  std::uint64_t value = 1000;
  if (config::parse_integer(text, 3, 99, value).empty())
    fuzz::require(value >= 3 && value <= 99 && std::to_string(value) == text,
                  "an integer has one text, and is within its bounds");
  unsigned mode = 0;
  if (config::parse_mode(text, mode).empty()) fuzz::require(mode <= 0777, "a mode has nine bits");
  std::string label;
  if (config::parse_label(text, label).empty()) fuzz::require(label == text, "a label is its text");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size_bytes) {
  const std::string_view text = fuzz::text_of(data, size_bytes);
  duration(text);
  size(text);
  others(text);
  return 0;
}
