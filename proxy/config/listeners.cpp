#include <fmt/core.h>

#include <algorithm>

#include "base/limits.hpp"
#include "config/parts.hpp"
#include "config/scalars.hpp"

namespace penstock::config {

namespace {

// The length of an accept queue is an int in the kernel; net.core.somaxconn cuts it further.
constexpr std::uint64_t backlog_max = 1'000'000;

std::string parse_index(std::string_view text, std::string& target) {
  if (text.starts_with('/')) return "expected a path below root, not " + base::in_quotes(text);
  return parse_label(text, target);
}

// A path may be longer than a name.
std::string parse_root(std::string_view text, std::string& target) {
  if (text.empty()) return "must not be empty";
  if (text.find('\0') != std::string_view::npos) return "contains a NUL byte";
  target = text;
  return {};
}

files::Options read_files(ConfigReading& reading, const YamlPlace& place) {
  files::Options options;
  MapReader reader{reading, place};
  if (const auto root = reader.require("root")) reading.read(*root, options.root, parse_root);
  reader.optional("index", options.index, parse_index);
  reader.optional("max_age", options.max_age, parse_duration);
  reader.optional("open_files", options.open_files, integer_between(1, base::open_files_max));
  reader.finish();
  return options;
}

void read_one_bind(ConfigReading& reading, const YamlPlace& place, ReadListener& listener) {
  const auto text = reading.text_of(place);
  if (!text) return;
  if (listener.spec.session.name.empty()) listener.spec.session.name = *text;
  if (std::string fault = reading.fault_of_promised(place, *text); !fault.empty())
    return reading.report(place, std::move(fault));
  FoundAddresses found = parse_bind(*text, reading.resolve_names());
  if (!found.fault.empty()) return reading.report(place, std::move(found.fault));
  for (const os::IpEndpoint& endpoint : found.left_out)
    reading.warnings.push_back(fmt::format(
        "bind {}: {} is left out, for no interface of this machine has that address",
        ConfigReading::shown(place, *text), ConfigReading::shown(place, endpoint.to_string())));
  for (os::SocketAddress& address : found.addresses) {
    listener.spec.addresses.push_back(address);
    listener.binds.push_back({std::move(address), place});
  }
}

void read_binds(MapReader& reader, ReadListener& listener) {
  const auto place = reader.require("bind");
  if (!place) return;
  const auto binds = reader.reading().one_or_items_of(*place);
  if (binds.empty()) return reader.reading().report(*place, "expected at least one address");
  for (const YamlPlace& bind : binds) {
    read_one_bind(reader.reading(), bind, listener);
    if (listener.binds.size() > base::listener_addresses_max)
      return reader.reading().report(*place, "more than " +
                                                 std::to_string(base::listener_addresses_max) +
                                                 " addresses in one listener");
  }
}

bool has_socket_file(const ReadListener& listener) {
  return std::any_of(listener.binds.begin(), listener.binds.end(), [](const ReadAddress& bind) {
    return bind.address.is_unix() && !bind.address.is_abstract();
  });
}

// Keys of a kind of bind that this listener does not have do nothing, which nobody wants.
void check_bind_options(MapReader& reader, const ReadListener& listener) {
  if (listener.binds.empty()) return;
  for (const std::string_view key : {"mode", "owner", "group"})
    if (reader.has(key) && !has_socket_file(listener))
      reader.report_key(key, "only a bind to unix:/path has a " + std::string{key});
  const auto is_v6 = [](const ReadAddress& bind) {
    return bind.address.ip().family == os::IpEndpoint::Family::v6;
  };
  if (listener.spec.listen.v6_only &&
      std::none_of(listener.binds.begin(), listener.binds.end(), is_v6))
    reader.report_key("v6_only", "no bind of this listener is an IPv6 address");
}

void read_bind_options(MapReader& reader, ReadListener& listener) {
  os::ListenOptions& listen = listener.spec.listen;
  reader.optional("backlog", listen.backlog, integer_between(0, backlog_max));
  reader.optional("v6_only", listen.v6_only, parse_boolean);
  const MapReader::HiddenDefaults hidden{reader, !has_socket_file(listener)};
  reader.optional("mode", listen.mode, parse_mode);
  reader.optional("owner", listen.owner, parse_label_or_empty);
  reader.optional("group", listen.group, parse_label_or_empty);
  check_bind_options(reader, listener);
}

void read_target(MapReader& reader, ReadListener& listener) {
  listener.upstream = reader.find("upstream");
  const auto files = reader.find("files");
  session::ListenerOptions& session = listener.spec.session;
  if (listener.upstream) reader.reading().read(*listener.upstream, session.upstream, parse_label);
  if (files) session.files = read_files(reader.reading(), *files);
  if (listener.upstream && files)
    reader.report("has both upstream and files; exactly one of them says where connections go");
  if (!listener.upstream && !files && reader.is_good() && !reader.has_promised())
    reader.report("upstream or files is missing; exactly one of them says where connections go");
}

}  // namespace

ReadListener read_listener(ConfigReading& reading, const YamlPlace& place,
                           const ConnectionDefaults& defaults) {
  ReadListener listener;
  session::ListenerOptions& session = listener.spec.session;
  MapReader reader{reading, place};
  listener.name = reader.find("name");
  if (listener.name) reading.read_name(*listener.name, session.name);
  read_binds(reader, listener);
  read_bind_options(reader, listener);
  read_target(reader, listener);
  reader.optional("max_connections", session.max_connections, integer_between(0, connections_max));
  ConnectionDefaults own = defaults;
  {
    const MapReader::HiddenDefaults hidden{reader};  // they stand in `defaults`
    read_defaults(reader, own);
  }
  session.timeouts = own.timeouts;
  session.socket = own.socket;
  reader.finish();
  return listener;
}

}  // namespace penstock::config
