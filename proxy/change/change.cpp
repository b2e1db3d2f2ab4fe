#include "change/change.hpp"

#include <algorithm>

#include "change/parts.hpp"
#include "config/config.hpp"

namespace penstock::change {

namespace {

using config::Config;

Keys changed_live(const Config& running, const Config& next) {
  Keys keys;
  Differing{running, next, keys}
      .at("relay.pipe_size", &Config::pipe_size)
      .at("relay.max_pipes", &Config::max_pipes);
  Differing{running.server.runtime, next.server.runtime, keys}
      .at("runtime.max_connections", &runtime::Options::max_connections)
      .at("runtime.drain", &runtime::Options::drain);
  Differing{running, next, keys}.at("admin", &Config::admin);
  Differing{running.log, next.log, keys}
      .at("log.level", &report::LogOptions::level)
      .at("log.format", &report::LogOptions::format)
      .at("log.access.to", &report::LogOptions::access_to)
      .at("log.access.sample", &report::LogOptions::access_sample);
  if (running.log.access_open != next.log.access_open ||
      running.log.access_close != next.log.access_close)
    keys.emplace_back("log.access.events");
  return keys;
}

// Threads are made, pinned and locked in once, with buffers and a loop of one kind.
Keys changed_by_restart(const Config& running, const Config& next) {
  Keys keys;
  Differing{running.server.relay, next.server.relay, keys}
      .at("relay.engine", &relay::Options::engine)
      .at("relay.buffer_size", &relay::Options::buffer_bytes)
      .at("relay.zerocopy_threshold", &relay::Options::zerocopy_from_bytes);
  const runtime::Options& before = running.server.runtime;
  const runtime::Options& after = next.server.runtime;
  if (before.forwarders != after.forwarders ||
      before.forwarders_by_node != after.forwarders_by_node)
    keys.emplace_back("runtime.forwarders");
  Differing{before, after, keys}
      .at("runtime.acceptors", &runtime::Options::acceptors)
      .at("runtime.numa", &runtime::Options::numa)
      .at("runtime.pin", &runtime::Options::pin)
      .at("runtime.spin", &runtime::Options::spin)
      .at("runtime.user", &runtime::Options::user)
      .at("runtime.group", &runtime::Options::group)
      .at("runtime.sandbox", &runtime::Options::sandbox);
  return keys;
}

}  // namespace

bool Change::is_empty() const noexcept {
  const auto is_kept = [](const auto& one) { return one.fate == Fate::kept; };
  return std::all_of(listeners.begin(), listeners.end(), is_kept) &&
         std::all_of(upstreams.begin(), upstreams.end(), is_kept) && process.empty() &&
         needs_restart.empty();
}

Change difference(const Config& running, const Config& next) {
  return {.listeners = changed_listeners(running.server.listeners, next.server.listeners),
          .upstreams = changed_upstreams(running.server.upstreams, next.server.upstreams),
          .process = changed_live(running, next),
          .needs_restart = changed_by_restart(running, next)};
}

}  // namespace penstock::change
