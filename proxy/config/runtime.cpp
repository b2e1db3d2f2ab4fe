#include <fmt/core.h>

#include "base/limits.hpp"
#include "base/sizes.hpp"
#include "config/parts.hpp"
#include "config/scalars.hpp"

namespace penstock::config {

namespace {

constexpr std::uint64_t pipe_bytes_max = base::gibibyte;
constexpr std::uint64_t pipes_max = 1'000'000;
constexpr std::uint64_t buffer_bytes_min = 4 * base::kibibyte;
constexpr std::uint64_t buffer_bytes_max = 16 * base::mebibyte;
constexpr std::size_t admin_binds_max = 8;     // each has its own connections
constexpr std::uint64_t numa_node_max = 1023;  // the kernel's own

void read_drain(ConfigReading& reading, const YamlPlace& place, runtime::DrainOptions& target) {
  MapReader reader{reading, place};
  reader.optional("grace", target.grace, parse_duration);
  reader.optional("timeout", target.timeout, parse_duration);
  reader.finish();
}

// {node: count}
void read_forwarders_by_node(ConfigReading& reading, const YamlPlace& place,
                             std::map<int, std::size_t>& target) {
  MapReader reader{reading, place};
  std::size_t total = 0;
  for (const auto& [name, count] : reader.all_named()) {
    std::uint64_t node = 0;
    if (std::string sentence = parse_integer(name, 0, numa_node_max, node); !sentence.empty())
      reading.report(count, "a node is named by its number: " + sentence);
    else if (reading.read(count, target[static_cast<int>(node)],
                          integer_between(1, base::forwarders_max)))
      total += target[static_cast<int>(node)];
  }
  if (total > base::forwarders_max)
    reading.report(place, fmt::format("expected at most {} forwarders in all, not {}",
                                      base::forwarders_max, total));
  if (target.empty()) reading.report(place, "expected at least one node and its number");
}

void read_forwarders(MapReader& reader, runtime::Options& target) {
  const auto parse = auto_or(integer_between(1, base::forwarders_max));
  const auto place = reader.find("forwarders");
  if (!place) return reader.note_default("forwarders", parse.text(target.forwarders));
  if (place->node->kind == YamlNode::Kind::map)
    return read_forwarders_by_node(reader.reading(), *place, target.forwarders_by_node);
  reader.reading().read(*place, target.forwarders, parse);
}

ReadAdmin read_one_admin(ConfigReading& reading, const YamlPlace& place) {
  ReadAdmin result;
  const auto parse = [](std::string_view text, os::SocketAddress& target) -> std::string {
    const auto address = os::parse_socket_address(text, os::interface_number);
    if (address.has_error()) return address.error();
    target = *address;
    return {};
  };
  MapReader reader{reading, place};
  const auto bind = reader.require("bind");
  if (bind && reading.read(*bind, result.admin.address, parse)) result.bind = bind;
  reader.optional("read_only", result.admin.read_only, parse_boolean);
  reader.optional("allow_remote_control", result.admin.allow_remote_control, parse_boolean);
  if (reader.optional("token_file", result.admin.token_file, parse_label_or_empty) &&
      !result.admin.token_file.empty())
    result.admin.token_file = reading.path_of(result.admin.token_file);
  reader.finish();
  if (result.bind && !result.admin.address.is_loopback() && !result.admin.read_only &&
      !result.admin.allow_remote_control)
    reading.report(*bind,
                   "anybody who reaches this address could control the proxy; bind to "
                   "loopback, or set read_only or allow_remote_control to true");
  return result;
}

void read_events(ConfigReading& reading, const YamlPlace& place, report::LogOptions& target) {
  target.access_open = false;
  target.access_close = false;
  const auto parse = [](std::string_view text, report::LogOptions& options) -> std::string {
    if (text != "open" && text != "close") return base::expected_one_of({"open", "close"}, text);
    (text == "open" ? options.access_open : options.access_close) = true;
    return {};
  };
  for (const YamlPlace& event : reading.items_of(place)) reading.read(event, target, parse);
}

std::vector<std::string> events_of(const report::LogOptions& options) {
  std::vector<std::string> events;
  if (options.access_open) events.emplace_back("open");
  if (options.access_close) events.emplace_back("close");
  return events;
}

void read_access(ConfigReading& reading, const YamlPlace& place, report::LogOptions& target) {
  MapReader reader{reading, place};
  reader.optional("to", target.access_to, parse_label);
  if (const auto events = reader.find("events"))
    read_events(reading, *events, target);
  else
    reader.note_default("events", events_of(target));
  reader.optional("sample", target.access_sample, parse_percent);
  reader.finish();
}

}  // namespace

void read_relay(ConfigReading& reading, const YamlPlace& place, Config& config) {
  relay::Options& relay = config.server.relay;
  MapReader reader{reading, place};
  reader.optional("engine", relay.engine, word_of(relay::engine_policy_names));
  reader.optional("pipe_size", config.pipe_size,
                  auto_or(size_between(base::pipe_bytes_min, pipe_bytes_max)));
  reader.optional("max_pipes", config.max_pipes, auto_or(integer_between(0, pipes_max)));
  reader.optional("buffer_size", relay.buffer_bytes,
                  size_between(buffer_bytes_min, buffer_bytes_max));
  const auto threshold = reader.find("zerocopy_threshold");
  // A default that smaller buffers leave without a use could not be written.
  if (!threshold && relay.zerocopy_from_bytes <= relay.buffer_bytes)
    reader.note_default("zerocopy_threshold", size_text(relay.zerocopy_from_bytes));
  if (threshold &&
      reading.read(*threshold, relay.zerocopy_from_bytes, size_between(1, buffer_bytes_max)) &&
      relay.zerocopy_from_bytes > relay.buffer_bytes)
    reading.report(*threshold,
                   "is more than relay.buffer_size: nothing would ever be sent without a copy");
  reader.finish();
}

// Empty: left to the placement.
struct SpinLength {
  std::string operator()(std::string_view text, std::optional<base::Duration>& target) const {
    base::Duration length{0};
    std::string sentence = parse_duration(text, length);
    if (sentence.empty()) target = length;
    return sentence;
  }
  static std::string text(base::Duration length) { return duration_text(length); }
};

void read_runtime(ConfigReading& reading, const YamlPlace& place, runtime::Options& target) {
  MapReader reader{reading, place};
  read_forwarders(reader, target);
  reader.optional("acceptors", target.acceptors, auto_or(integer_between(1, base::forwarders_max)));
  reader.optional("numa", target.numa, word_of(runtime::numa_mode_names));
  reader.optional("pin", target.pin, word_of(runtime::pin_names));
  reader.optional("spin", target.spin, auto_or(SpinLength{}));
  reader.optional("max_connections", target.max_connections,
                  auto_or(integer_between(1, connections_max)));
  read_drain(reading, reader.section("drain"), target.drain);
  reader.optional("user", target.user, parse_label_or_empty);
  reader.optional("group", target.group, parse_label_or_empty);
  reader.optional("sandbox", target.sandbox, word_of(runtime::sandbox_mode_names));
  reader.finish();
}

std::vector<ReadAdmin> read_admin(ConfigReading& reading, const YamlPlace& place) {
  std::vector<ReadAdmin> result;
  for (const YamlPlace& one : reading.one_or_items_of(place)) {
    if (result.size() == admin_binds_max) {
      reading.report(one, fmt::format("more than {} addresses of the admin", admin_binds_max));
      break;
    }
    result.push_back(read_one_admin(reading, one));
  }
  return result;
}

void read_log(ConfigReading& reading, const YamlPlace& place, report::LogOptions& target) {
  MapReader reader{reading, place};
  reader.optional("level", target.level, word_of(report::log_level_names));
  reader.optional("format", target.format, word_of(report::log_format_names));
  read_access(reading, reader.section("access"), target);
  reader.finish();
}

}  // namespace penstock::config
