#include <map>
#include <set>

#include "base/words.hpp"
#include "config/parts.hpp"
#include "config/sockets.hpp"

namespace penstock::config {

namespace {

void check_listener_names(ConfigReading& reading, const std::vector<ReadListener>& listeners) {
  std::map<std::string, const ReadListener*> seen;
  for (const ReadListener& listener : listeners) {
    const std::string& name = listener.spec.session.name;
    if (name.empty()) continue;
    const auto [first, is_new] = seen.emplace(name, &listener);
    if (is_new) continue;
    // Two listeners that are named by the same bind are a fault of the binds.
    const auto& place = listener.name ? listener.name : first->second->name;
    if (!place) continue;
    reading.report(*place, "another listener has the name " + base::in_quotes(name) + " already");
  }
}

void check_upstream_names(ConfigReading& reading, const std::vector<ReadListener>& listeners,
                          const std::vector<ReadUpstream>& upstreams) {
  std::vector<std::string> names;
  for (const ReadUpstream& upstream : upstreams) names.push_back(upstream.spec.name);
  const std::set<std::string_view> known{names.begin(), names.end()};
  for (const ReadListener& listener : listeners) {
    const std::string& wanted = listener.spec.session.upstream;
    if (wanted.empty() || known.contains(wanted)) continue;
    reading.report(*listener.upstream, "there is no upstream " + base::in_quotes(wanted) +
                                           reading.suggestions.nearest(wanted, names));
  }
}

std::string owner_of(const ReadListener& listener) {
  const YamlPlace& named_at = listener.name ? *listener.name : listener.binds.front().place;
  return "listener " + base::in_quotes(ConfigReading::shown(named_at, listener.spec.session.name));
}

std::string shown_address(const YamlPlace& place, const os::SocketAddress& address) {
  return base::in_quotes(ConfigReading::shown(place, address.to_string()));
}

// Empty where both are of one family.
std::string about_families(const BoundSocket& one, const BoundSocket& other) {
  if (one.address.is_unix() || one.address.ip().family == other.address.ip().family) return {};
  return "; [::] takes IPv4 too, unless its listener has v6_only: true";
}

// Reports a socket that another one stands in the way of, else remembers it.
void add_socket(ConfigReading& reading, OwnSockets& sockets, OwnSocket socket) {
  const OwnSocket* other = sockets.in_the_way_of(socket.bound);
  if (other == nullptr) return sockets.add(std::move(socket));
  reading.report_shown(*socket.place, shown_address(*socket.place, socket.bound.address) +
                                          " cannot be bound beside " +
                                          shown_address(*other->place, other->bound.address) +
                                          " of " + other->owner +
                                          about_families(other->bound, socket.bound));
}

OwnSockets collect_sockets(ConfigReading& reading, const std::vector<ReadListener>& listeners,
                           const std::vector<ReadAdmin>& admin) {
  OwnSockets sockets;
  for (const ReadListener& listener : listeners)
    for (const ReadAddress& bind : listener.binds)
      add_socket(reading, sockets,
                 {.bound = {bind.address, listener.spec.listen.v6_only},
                  .place = &bind.place,
                  .owner = owner_of(listener),
                  .is_loop = !listener.spec.session.files.has_value()});
  for (const ReadAdmin& one : admin)
    if (one.bind)
      add_socket(reading, sockets,
                 {.bound = {one.admin.address, false}, .place = &*one.bind, .owner = "admin"});
  return sockets;
}

void check_loop(ConfigReading& reading, const OwnSockets& sockets, const ReadAddress& endpoint) {
  const OwnSocket* own = sockets.reached_by(endpoint.address);
  if (own == nullptr || !own->is_loop) return;
  reading.report_shown(endpoint.place,
                       shown_address(endpoint.place, endpoint.address) + " is " + own->owner +
                           " of this file: a loop; only a listener with files can be an endpoint");
}

}  // namespace

void check_parts(ConfigReading& reading, const std::vector<ReadListener>& listeners,
                 const std::vector<ReadUpstream>& upstreams, const std::vector<ReadAdmin>& admin) {
  check_listener_names(reading, listeners);
  check_upstream_names(reading, listeners, upstreams);
  const OwnSockets sockets = collect_sockets(reading, listeners, admin);
  for (const ReadUpstream& upstream : upstreams)
    for (const ReadAddress& endpoint : upstream.endpoints) check_loop(reading, sockets, endpoint);
}

}  // namespace penstock::config
