#include "control/listener_stop.hpp"

#include <algorithm>
#include <utility>

#include "config/addresses.hpp"
#include "os/clock.hpp"
#include "runtime/options.hpp"
#include "runtime/server.hpp"
#include "runtime/views.hpp"
#include "session/listener.hpp"
#include "upstream/cluster.hpp"
#include "upstream/registry.hpp"
#include "upstream/upstream.hpp"

namespace penstock::control {

namespace {

constexpr base::Duration look_interval = std::chrono::milliseconds{20};
// In the first one a forwarder may have answered before it took in who had come; in the second it
// has dialled for them.
constexpr int rounds_needed = 2;

// Behind a wildcard any address may be our own. Who is taken for one of ours by mistake only stops
// a little later.
bool may_reach(const os::SocketAddress& endpoint, const os::SocketAddress& bound, bool v6_only) {
  if (config::reaches(endpoint, {bound, v6_only})) return true;
  return bound.is_wildcard() && !endpoint.is_unix() && endpoint.ip().port == bound.ip().port;
}

bool is_endpoint(const upstream::Registry& registry, const runtime::Server& server,
                 std::size_t listener) {
  const bool v6_only = server.spec().listeners[listener].listen.v6_only;
  for (const auto& upstream : registry.upstreams())
    for (const auto& endpoint : upstream->cluster().endpoints())
      for (const os::SocketAddress& bound : server.addresses(listener))
        if (may_reach(endpoint.live->address, bound, v6_only)) return true;
  return false;
}

}  // namespace

ListenerStop::ListenerStop(boost::asio::io_context& io, const upstream::Registry& registry,
                           runtime::Server& server)
    : io_{io}, registry_{registry}, server_{server}, look_{io} {}

void ListenerStop::begin(std::function<void()> outer_closed, std::function<void()> all_closed) {
  all_closed_ = std::move(all_closed);
  std::vector<bool> outer;
  for (std::size_t i = 0; i < server_.listeners().size(); ++i) {
    inner_.push_back(is_endpoint(registry_, server_, i));
    outer.push_back(!inner_.back());
  }
  server_.stop_accepting(outer, [this, outer_closed = std::move(outer_closed)] {
    io::call_later(io_, [this, outer_closed] {
      stop_inner();
      outer_closed();
    });
  });
}

void ListenerStop::stop_inner() {
  const bool are_there = std::find(inner_.begin(), inner_.end(), true) != inner_.end();
  if (!are_there) return all_closed_();
  if (!everybody_has_dialled()) return look_.set(look_interval, [this] { stop_inner(); });
  server_.stop_accepting(inner_, [this] { io::call_later(io_, all_closed_); });
}

// A connection to this host is in the listener's queue when connect() returns. Who stands in line
// for a place dials when it is his turn.
bool ListenerStop::everybody_has_dialled() {
  for (const auto& upstream : registry_.upstreams())
    if (upstream->queue().length() > 0) return false;
  if (rounds_ >= rounds_needed) return true;
  if (asked_ != base::Instant{} && forwarders_have_answered()) ++rounds_;
  asked_ = os::now();
  server_.ping();
  return rounds_ >= rounds_needed;
}

bool ListenerStop::forwarders_have_answered() const {
  const auto views = server_.forwarders();
  return std::all_of(views.begin(), views.end(),
                     [this](const auto& view) { return view.last_answer >= asked_; });
}

}  // namespace penstock::control
