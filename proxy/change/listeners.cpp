#include <algorithm>
#include <map>
#include <set>

#include "change/parts.hpp"

namespace penstock::change {

namespace {

using runtime::ListenerSpec;

Keys differing_keys(const ListenerSpec& before, const ListenerSpec& after) {
  Keys keys;
  Differing{before.session, after.session, keys}
      .at("upstream", &session::ListenerOptions::upstream)
      .at("files", &session::ListenerOptions::files)
      .at("max_connections", &session::ListenerOptions::max_connections);
  Differing{before.session.timeouts, after.session.timeouts, keys}
      .at("idle_timeout", &session::Timeouts::idle)
      .at("half_close_timeout", &session::Timeouts::half_close)
      .at("max_lifetime", &session::Timeouts::max_lifetime)
      .at("peer_timeout", &session::Timeouts::peer)
      .at("abort_linger", &session::Timeouts::abort_linger);
  Differing{before.session.socket, after.session.socket, keys}
      .at("keepalive", &os::SocketOptions::keepalive)
      .at("no_delay", &os::SocketOptions::no_delay)
      .at("tcp_user_timeout", &os::SocketOptions::tcp_user_timeout)
      .at("receive_buffer", &os::SocketOptions::receive_buffer)
      .at("send_buffer", &os::SocketOptions::send_buffer)
      .at("notsent_lowat", &os::SocketOptions::notsent_lowat)
      .at("congestion", &os::SocketOptions::congestion)
      .at("dscp", &os::SocketOptions::dscp)
      .at("mark", &os::SocketOptions::mark);
  Differing{before.listen, after.listen, keys}
      .at("backlog", &os::ListenOptions::backlog)
      .at("v6_only", &os::ListenOptions::v6_only)
      .at("mode", &os::ListenOptions::mode)
      .at("owner", &os::ListenOptions::owner)
      .at("group", &os::ListenOptions::group);
  return keys;
}

// What can only be said before a socket is bound is the same.
bool binds_alike(const os::SocketAddress& address, const os::ListenOptions& before,
                 const os::ListenOptions& after) {
  if (address.is_unix())
    return before.mode == after.mode && before.owner == after.owner && before.group == after.group;
  return address.ip().family == os::IpEndpoint::Family::v4 || before.v6_only == after.v6_only;
}

class ListenerIndex {
 public:
  explicit ListenerIndex(const std::vector<ListenerSpec>& listeners) {
    for (const ListenerSpec& listener : listeners) {
      by_name_.emplace(listener.session.name, &listener);
      for (const os::SocketAddress& address : listener.addresses)
        by_address_.emplace(address, &listener);
    }
  }

  const ListenerSpec* named(const std::string& name) const { return found(by_name_, name); }
  const ListenerSpec* at(const os::SocketAddress& address) const {
    return found(by_address_, address);
  }

 private:
  template <typename Map>
  static const ListenerSpec* found(const Map& map, const typename Map::key_type& key) {
    const auto entry = map.find(key);
    return entry == map.end() ? nullptr : entry->second;
  }

  std::map<std::string, const ListenerSpec*> by_name_;
  std::map<os::SocketAddress, const ListenerSpec*> by_address_;
};

class ListenerDifference {
 public:
  ListenerDifference(const std::vector<ListenerSpec>& running,
                     const std::vector<ListenerSpec>& next)
      : running_{running}, next_{next}, before_{running}, after_{next} {}

  std::vector<ListenerChange> changes() {
    std::vector<ListenerChange> result;
    for (const ListenerSpec& listener : next_) result.push_back(change_to(listener));
    for (const ListenerSpec& listener : running_)
      if (!goes_on(listener)) result.push_back(removal_of(listener));
    return result;
  }

 private:
  bool goes_on(const ListenerSpec& running) const {
    return after_.named(running.session.name) != nullptr || renamed_.contains(&running);
  }

  ListenerChange change_to(const ListenerSpec& next) {
    ListenerChange change{.name = next.session.name};
    const ListenerSpec* running = before_.named(next.session.name);
    if (running == nullptr && (running = renamed_to(next)) != nullptr)
      change.formerly = running->session.name;
    note_sockets_gained(running, next, change);
    if (running == nullptr) {
      change.fate = Fate::added;
      return change;
    }
    change.keys = differing_keys(*running, next);
    note_sockets_lost(*running, &next, change);
    const bool is_same = change.formerly.empty() && change.keys.empty() && change.opened.empty() &&
                         change.closed.empty() && change.taken_over.empty() &&
                         change.given_away.empty();
    change.fate = is_same ? Fate::kept : Fate::changed;
    return change;
  }

  ListenerChange removal_of(const ListenerSpec& running) const {
    ListenerChange change{.name = running.session.name, .fate = Fate::removed};
    note_sockets_lost(running, nullptr, change);
    return change;
  }

  // Who bound an address of this one and is gone, the first of them; nullptr: it is new.
  const ListenerSpec* renamed_to(const ListenerSpec& next) {
    for (const os::SocketAddress& address : next.addresses) {
      const ListenerSpec* running = before_.at(address);
      if (running == nullptr || goes_on(*running)) continue;
      renamed_.insert(running);
      return running;
    }
    return nullptr;
  }

  void note_sockets_gained(const ListenerSpec* running, const ListenerSpec& next,
                           ListenerChange& change) const {
    for (const os::SocketAddress& address : next.addresses) {
      const ListenerSpec* owner = before_.at(address);
      if (owner == nullptr || !binds_alike(address, owner->listen, next.listen))
        change.opened.push_back(address);
      else if (owner != running)
        change.taken_over.push_back({address, owner->session.name});
    }
  }

  // `next` is what the listener becomes; nullptr: it goes.
  void note_sockets_lost(const ListenerSpec& running, const ListenerSpec* next,
                         ListenerChange& change) const {
    for (const os::SocketAddress& address : running.addresses) {
      const ListenerSpec* owner = after_.at(address);
      if (owner == nullptr || !binds_alike(address, running.listen, owner->listen))
        change.closed.push_back(address);
      else if (owner != next)
        change.given_away.push_back(address);
    }
  }

  const std::vector<ListenerSpec>& running_;
  const std::vector<ListenerSpec>& next_;
  const ListenerIndex before_;
  const ListenerIndex after_;
  std::set<const ListenerSpec*> renamed_;
};

}  // namespace

std::vector<ListenerChange> changed_listeners(const std::vector<ListenerSpec>& running,
                                              const std::vector<ListenerSpec>& next) {
  return ListenerDifference{running, next}.changes();
}

}  // namespace penstock::change
