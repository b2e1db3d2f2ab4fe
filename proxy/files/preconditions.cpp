#include "files/preconditions.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "os/file.hpp"
#include "wire/http_request.hpp"

namespace penstock::files {

namespace {

constexpr std::string_view weak_mark = "W/";

void skip(std::string_view& text, std::string_view characters) noexcept {
  text.remove_prefix(std::min(text.find_first_not_of(characters), text.size()));
}

// The next entity tag of a list, with W/ and quotes; empty at the end, and where it is none.
std::string_view take_tag(std::string_view& list) noexcept {
  skip(list, ", \t");
  const std::size_t quote = list.starts_with(weak_mark) ? weak_mark.size() : 0;
  if (quote >= list.size() || list[quote] != '"') return {};
  const std::size_t end = list.find('"', quote + 1);
  if (end == std::string_view::npos) return {};
  const std::string_view tag = list.substr(0, end + 1);
  list.remove_prefix(end + 1);
  return tag;
}

std::string_view without_mark(std::string_view tag) noexcept {
  if (tag.starts_with(weak_mark)) tag.remove_prefix(weak_mark.size());
  return tag;
}

// Ours is strong; a strong comparison therefore fails only by a mark of theirs.
bool lists(std::string_view list, std::string_view etag, bool weakly) noexcept {
  if (list == "*") return true;
  for (auto tag = take_tag(list); !tag.empty(); tag = take_tag(list))
    if ((weakly ? without_mark(tag) : tag) == etag) return true;
  return false;
}

constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// A date in pieces, as the three forms have them at different places.
struct Pieces {
  std::string_view day, month, year, time;
};

std::optional<int> number_in(std::string_view digits) noexcept {
  if (digits.starts_with(' ')) digits.remove_prefix(1);  // asctime pads the day
  int value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value);
  if (digits.empty() || digits.front() == '-' || error != std::errc{} || stop != end)
    return std::nullopt;
  return value;
}

std::optional<unsigned> month_in(std::string_view name) noexcept {
  for (unsigned i = 0; i < months.size(); ++i)
    if (name == months[i]) return i + 1;
  return std::nullopt;
}

// "08:49:37". A leap second counts as the next minute.
std::optional<std::int64_t> time_in(std::string_view text) noexcept {
  if (text.size() != 8 || text[2] != ':' || text[5] != ':') return std::nullopt;
  const auto hours = number_in(text.substr(0, 2));
  const auto minutes = number_in(text.substr(3, 2));
  const auto seconds = number_in(text.substr(6, 2));
  if (!hours || !minutes || !seconds || *hours > 23 || *minutes > 59 || *seconds > 60)
    return std::nullopt;
  return *hours * 3600 + *minutes * 60 + *seconds;
}

std::optional<std::int64_t> seconds_of(const Pieces& pieces) {
  const auto day = number_in(pieces.day);
  const auto month = month_in(pieces.month);
  const auto time = time_in(pieces.time);
  auto year = number_in(pieces.year);
  if (!day || !month || !year || !time) return std::nullopt;
  // RFC 850 has two digits; those that would lie more than 50 years ahead are of the past century.
  if (pieces.year.size() == 2) *year += *year < 77 ? 2000 : 1900;
  const std::chrono::year_month_day date{std::chrono::year{*year}, std::chrono::month{*month},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date}.time_since_epoch() / std::chrono::seconds{1} + *time;
}

}  // namespace

std::string entity_tag(const os::FileStatus& status, std::string_view suffix) {
  std::array<char, 112> text{};
  char* at = text.data();
  char* const end = at + text.size();
  *at++ = '"';
  at = std::to_chars(at, end, status.inode, 16).ptr;
  *at++ = '-';
  at = std::to_chars(at, end, status.size, 16).ptr;
  *at++ = '-';
  at = std::to_chars(at, end, status.modified_seconds, 16).ptr;
  *at++ = '.';
  at = std::to_chars(at, end, status.modified_nanoseconds, 16).ptr;
  *at++ = '-';
  at = std::to_chars(at, end, status.changed_seconds, 16).ptr;
  *at++ = '.';
  at = std::to_chars(at, end, status.changed_nanoseconds, 16).ptr;
  std::string tag{text.data(), at};
  tag.append(suffix).push_back('"');
  return tag;
}

std::int64_t modified_since_1970(const os::FileStatus& status, std::int64_t served_since,
                                 std::int64_t now) noexcept {
  return std::min(std::max({status.modified_seconds, status.changed_seconds, served_since}),
                  now - 1);
}

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  // Sun, 06 Nov 1994 08:49:37 GMT
  if (text.size() == 29 && text.substr(3, 2) == ", " && text.ends_with(" GMT"))
    return seconds_of(
        {text.substr(5, 2), text.substr(8, 3), text.substr(12, 4), text.substr(17, 8)});
  // Sunday, 06-Nov-94 08:49:37 GMT
  const std::size_t comma = text.find(", ");
  if (comma != std::string_view::npos && text.ends_with(" GMT") && text.size() == comma + 24) {
    text.remove_prefix(comma + 2);
    return seconds_of(
        {text.substr(0, 2), text.substr(3, 3), text.substr(7, 2), text.substr(10, 8)});
  }
  // Sun Nov  6 08:49:37 1994
  if (text.size() == 24)
    return seconds_of(
        {text.substr(8, 2), text.substr(4, 3), text.substr(20, 4), text.substr(11, 8)});
  return std::nullopt;
}

Condition condition_of(const wire::HttpRequest& request, const Validators& validators) {
  if (!request.if_match.empty()) {
    if (!lists(request.if_match, validators.etag, false)) return Condition::fails;
  } else if (const auto date = parse_http_date(request.if_unmodified_since);
             date && validators.modified_seconds > *date) {
    return Condition::fails;
  }
  if (!request.if_none_match.empty())
    return lists(request.if_none_match, validators.etag, true) ? Condition::not_modified
                                                               : Condition::holds;
  // A release that was turned back has older dates than the client's, and another content.
  const bool is_that_one =
      parse_http_date(request.if_modified_since) == validators.modified_seconds;
  return is_that_one ? Condition::not_modified : Condition::holds;
}

bool range_applies(const wire::HttpRequest& request, const Validators& validators) {
  if (request.range.empty()) return false;
  if (request.if_range.empty()) return true;
  if (request.if_range.ends_with('"')) return request.if_range == validators.etag;
  // A date says less than a tag: it has to be the very one that was given out.
  return parse_http_date(request.if_range) == validators.modified_seconds;
}

}  // namespace penstock::files
