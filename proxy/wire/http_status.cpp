#include "wire/http_status.hpp"

#include <algorithm>

namespace penstock::wire {

namespace {

using Progress = HttpStatusLine::Progress;

// What a status line looks like up to the byte behind its number: 'v' stands for the minor version,
// 'f' for the first digit, 'd' for another one, 'e' for what may follow.
constexpr std::string_view form = "HTTP/1.v fdde";
constexpr std::size_t number_at = 9;

constexpr bool fits(char c, char wanted) noexcept {
  switch (wanted) {
    case 'v':
    case 'd': return c >= '0' && c <= '9';
    case 'f': return c >= '1' && c <= '9';
    case 'e': return c == ' ' || c == '\r' || c == '\n';
    default: return c == wanted;
  }
}

int digit(char c) noexcept {
  return c - '0';
}

}  // namespace

HttpStatusLine parse_http_status(std::string_view bytes) noexcept {
  const std::string_view begin = bytes.substr(0, form.size());
  if (!std::equal(begin.begin(), begin.end(), form.begin(), fits)) return {Progress::bad, 0};
  const std::size_t end = bytes.substr(0, http_status_line_bytes_max).find('\n');
  if (end == std::string_view::npos)
    return {bytes.size() < http_status_line_bytes_max ? Progress::incomplete : Progress::bad, 0};
  const std::string_view number = bytes.substr(number_at, 3);
  return {Progress::complete, digit(number[0]) * 100 + digit(number[1]) * 10 + digit(number[2])};
}

}  // namespace penstock::wire
