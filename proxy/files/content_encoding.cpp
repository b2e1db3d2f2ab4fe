#include "files/content_encoding.hpp"

#include <algorithm>
#include <optional>

#include "wire/ascii.hpp"

namespace penstock::files {

namespace {

constexpr int full_quality = 1000;

// Takes what comes before the mark, without the blanks around it.
std::string_view take_until(std::string_view& text, char mark) noexcept {
  const std::size_t end = std::min(text.find(mark), text.size());
  const std::string_view part = wire::trim(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

// "0.8" is 800; "1", "1.000", "0", ".5" is none. What is none counts as not wanted.
int thousandths(std::string_view text) noexcept {
  if (text.empty() || (text[0] != '0' && text[0] != '1') || text.size() > 5) return 0;
  int value = (text[0] - '0') * full_quality;
  if (text.size() == 1) return value;
  if (text[1] != '.') return 0;
  int scale = 100;
  for (const char digit : text.substr(2)) {
    if (digit < '0' || digit > '9') return 0;
    value += (digit - '0') * scale;
    scale /= 10;
  }
  return std::min(value, full_quality);
}

int quality_in(std::string_view parameters) noexcept {
  while (!parameters.empty()) {
    std::string_view parameter = take_until(parameters, ';');
    if (parameter.empty()) continue;
    const std::string_view name = take_until(parameter, '=');
    if (wire::equals_ignoring_case(name, "q")) return thousandths(wire::trim(parameter));
  }
  return full_quality;
}

// What is said of this very coding.
std::optional<int> quality_named(std::string_view accept_encoding, std::string_view coding) {
  while (!accept_encoding.empty()) {
    std::string_view element = take_until(accept_encoding, ',');
    if (wire::equals_ignoring_case(take_until(element, ';'), coding)) return quality_in(element);
  }
  return std::nullopt;
}

}  // namespace

int quality_of(std::string_view accept_encoding, std::string_view coding) {
  if (const auto named = quality_named(accept_encoding, coding)) return *named;
  return quality_named(accept_encoding, "*").value_or(0);
}

const FileHandle& form_for(const Found& found, std::string_view accept_encoding) {
  const FileHandle* best = &found.file;
  int quality = 0;
  for (const FileHandle* form : {&found.zstd, &found.gzip}) {
    if (!*form) continue;
    const int wanted = quality_of(accept_encoding, (*form)->encoding);
    if (wanted <= quality) continue;
    quality = wanted;
    best = form;
  }
  const auto plain = quality_named(accept_encoding, "identity");
  return plain && *plain > quality ? found.file : *best;
}

}  // namespace penstock::files
