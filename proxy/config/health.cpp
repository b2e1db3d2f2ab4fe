#include <algorithm>
#include <array>

#include "base/limits.hpp"
#include "config/parts.hpp"
#include "config/scalars.hpp"

namespace penstock::config {

namespace {

using upstream::CheckType;
using upstream::HealthSpec;

constexpr int rows_max = 100;
constexpr std::size_t path_bytes_max = 1024;

// A key that means something to one type only.
struct KeyOfType {
  std::string_view key;
  CheckType type;
};
constexpr std::array<KeyOfType, 6> keys_of_types{{{"send", CheckType::send_expect},
                                                  {"expect", CheckType::send_expect},
                                                  {"path", CheckType::http},
                                                  {"host", CheckType::http},
                                                  {"status", CheckType::http},
                                                  {"sni", CheckType::tls}}};

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

// Takes the escape at the front of `text`, which begins with a backslash; false where it is none.
bool take_escape(std::string_view& text, std::string& target) {
  constexpr std::string_view letters = "rnt\\";
  constexpr std::string_view meanings = "\r\n\t\\";
  if (text.size() < 2) return false;
  if (const auto found = letters.find(text[1]); found != std::string_view::npos) {
    target.push_back(meanings[found]);
    text.remove_prefix(2);
    return true;
  }
  if (text[1] != 'x' || text.size() < 4) return false;
  const int high = hex_value(text[2]);
  const int low = hex_value(text[3]);
  if (high < 0 || low < 0) return false;
  target.push_back(static_cast<char>(high * 16 + low));
  text.remove_prefix(4);
  return true;
}

// Appends; returns the sentence of a fault.
std::string unescape(std::string_view text, std::string& target) {
  while (!text.empty()) {
    if (text.front() != '\\') {
      target.push_back(text.front());
      text.remove_prefix(1);
    } else if (!take_escape(text, target)) {
      return "no escape begins with " + base::in_quotes(text.substr(0, 4)) +
             "; there are \\xNN, \\r, \\n, \\t and \\\\";
    }
  }
  return {};
}

void read_bytes(MapReader& reader, std::string_view key, std::string& target) {
  const auto place = reader.find(key);
  if (!place) return;
  ConfigReading& reading = reader.reading();
  std::optional<std::string> bytes = reading.bytes_of(*place, unescape);
  if (!bytes) return;
  if (bytes->empty()) return reading.report(*place, "must not be empty");
  if (bytes->size() > base::health_text_max)
    return reading.report(*place,
                          "longer than " + std::to_string(base::health_text_max) + " bytes");
  target = std::move(*bytes);
}

// What may stand in a request line; nothing that could end it.
std::string parse_path(std::string_view text, std::string& target) {
  const bool is_clean =
      std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f && c != '#'; });
  if (!text.starts_with('/') || !is_clean)
    return "expected a path that begins with / and has no spaces, control characters or #, not " +
           base::in_quotes(text);
  if (text.size() > path_bytes_max)
    return "longer than " + std::to_string(path_bytes_max) + " bytes";
  target = text;
  return {};
}

std::string parse_host(std::string_view text, std::string& target) {
  constexpr std::string_view signs = "-._~:[]%";
  const bool is_clean = std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           signs.find(c) != std::string_view::npos;
  });
  if (text.empty() || text.size() > 255 || !is_clean)
    return "expected a host name or address, with or without a port, not " + base::in_quotes(text);
  target = text;
  return {};
}

// RFC 6066, 3: a DNS name without a final dot; addresses are not permitted.
std::string parse_sni(std::string_view text, std::string& target) {
  const bool has_empty_label =
      text.starts_with('.') || text.ends_with('.') || text.find("..") != std::string_view::npos;
  if (!is_host_name(text) || has_empty_label)
    return "expected a host name, which an address is not, without a final dot; not " +
           base::in_quotes(text);
  target = text;
  return {};
}

std::string parse_status_range(std::string_view text, upstream::StatusRange& target) {
  const auto hyphen = text.find('-');
  upstream::StatusRange range;
  const auto parse = integer_between(100, 599);
  const bool is_good =
      parse(text.substr(0, hyphen), range.first).empty() &&
      parse(hyphen == std::string_view::npos ? text : text.substr(hyphen + 1), range.last).empty();
  if (!is_good || range.first > range.last)
    return "expected a status like 200 or a range like 200-399, from 100 to 599, not " +
           base::in_quotes(text);
  target = range;
  return {};
}

struct ProxyHeader {
  std::string operator()(std::string_view text, bool& target) const {
    if (text != "off" && text != "v2") return base::expected_one_of({"off", "v2"}, text);
    target = text == "v2";
    return {};
  }
  static std::string text(bool value) { return value ? "v2" : "off"; }
};

void read_status(ConfigReading& reading, const YamlPlace& place, HealthSpec& target) {
  std::vector<upstream::StatusRange> ranges;
  for (const YamlPlace& item : reading.one_or_items_of(place)) {
    upstream::StatusRange range;
    if (reading.read(item, range, parse_status_range)) ranges.push_back(range);
  }
  if (place.node->kind == YamlNode::Kind::list && place.node->children.empty())
    reading.report(place, "expected at least one status");
  if (!ranges.empty()) target.status = std::move(ranges);
}

std::vector<std::string> texts_of(const std::vector<upstream::StatusRange>& ranges) {
  std::vector<std::string> texts;
  for (const upstream::StatusRange& range : ranges)
    texts.push_back(std::to_string(range.first) + '-' + std::to_string(range.last));
  return texts;
}

// Only this type has their defaults.
void read_http(MapReader& reader, HealthSpec& target) {
  const MapReader::HiddenDefaults hidden{reader, target.type != CheckType::http};
  reader.optional("path", target.path, parse_path);
  reader.optional("host", target.host, parse_host);
  if (const auto status = reader.find("status"))
    read_status(reader.reading(), *status, target);
  else
    reader.note_default("status", texts_of(target.status));
}

void check_type_fits(MapReader& reader, CheckType type) {
  for (const KeyOfType& each : keys_of_types)
    if (each.type != type && reader.has(each.key))
      reader.report_key(each.key, "belongs to type " +
                                      std::string{upstream::check_type_names[each.type]} +
                                      ", not to " + std::string{upstream::check_type_names[type]});
  if (type == CheckType::send_expect) static_cast<void>(reader.require("expect"));
}

}  // namespace

void read_health_check(ConfigReading& reading, const YamlPlace& place, HealthSpec& target) {
  using std::chrono::hours;
  using std::chrono::milliseconds;
  MapReader reader{reading, place};
  const bool has_good_type =
      reader.optional("type", target.type, word_of(upstream::check_type_names)) ||
      !reader.has("type");
  reader.optional("interval", target.interval, duration_between(milliseconds{10}, hours{24}));
  reader.optional("timeout", target.timeout, duration_between(milliseconds{1}, hours{1}));
  reader.optional("rise", target.rise, integer_between(1, rows_max));
  reader.optional("fall", target.fall, integer_between(1, rows_max));
  reader.optional("port", target.port, integer_between(0, 65'535));
  reader.optional("proxy_protocol", target.proxy_v2, ProxyHeader{});
  read_bytes(reader, "send", target.send);
  read_bytes(reader, "expect", target.expect);
  read_http(reader, target);
  reader.optional("sni", target.sni, parse_sni);
  if (has_good_type) check_type_fits(reader, target.type);
  reader.finish();
}

}  // namespace penstock::config
