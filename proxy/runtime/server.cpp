#include "runtime/server.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "os/clock.hpp"
#include "runtime/assembly.hpp"
#include "runtime/countdown.hpp"
#include "runtime/views.hpp"
#include "session/record.hpp"
#include "session/stall.hpp"

namespace penstock::runtime {

Server::Server(std::unique_ptr<Assembly> parts) : parts_{std::move(parts)} {}

Server::~Server() = default;

Server::Created Server::create(ServerSpec spec, session::LogSwitches log,
                               upstream::Registry& upstreams) {
  PENSTOCK_ASSERT(spec.runtime.max_connections > 0);  // control has worked out `auto`
  auto built = Assembly::build(std::move(spec), log, upstreams);
  if (!built) return built.error();
  return std::unique_ptr<Server>{new Server{std::move(*built)}};
}

void Server::start(const ThreadLocks& locks) {
  control_.check();
  for (auto& forwarder : parts_->forwarders) forwarder->start(locks.forwarder);
  for (auto& acceptor : parts_->acceptors) acceptor->start(locks.acceptor);
}

const std::vector<std::unique_ptr<session::Listener>>& Server::listeners() const noexcept {
  return parts_->listeners;
}

const std::vector<os::SocketAddress>& Server::addresses(std::size_t listener) const noexcept {
  return parts_->addresses[listener];
}

const ServerSpec& Server::spec() const noexcept {
  return parts_->spec;
}
std::size_t Server::connections_active() const noexcept {
  return parts_->admission->active();
}
std::size_t Server::connections_max() const noexcept {
  return parts_->admission->max();
}
bool Server::accepting_paused() const noexcept {
  return parts_->admission->paused();
}

const std::vector<std::string>& Server::decisions() const noexcept {
  return parts_->placement.decisions;
}

std::vector<ForwarderView> Server::forwarders() const {
  return views_of_forwarders(*parts_);
}

std::vector<ThreadView> Server::threads() const {
  return views_of_threads(*parts_);
}

std::vector<ThreadView> Server::threads_with_pages() const {
  return views_of_threads_with_pages(*parts_);
}

const std::vector<os::NetworkDevice>& Server::devices() const noexcept {
  return parts_->devices;
}

bool Server::take_record(session::Record& record) noexcept {
  control_.check();
  const std::size_t count = parts_->forwarders.size();
  for (std::size_t step = 0; step < count; ++step) {
    const std::size_t ring = (next_ring_ + step) % count;
    if (!parts_->forwarders[ring]->records().try_pop(record)) continue;
    next_ring_ = ring + 1;
    return true;
  }
  return false;
}

bool Server::take_stall(session::Stall& stall) noexcept {
  control_.check();
  for (const auto& forwarder : parts_->forwarders)
    if (forwarder->stalls().try_pop(stall)) return true;
  return false;
}

os::Wakeup& Server::records_wakeup() noexcept {
  return parts_->bell.wakeup;
}

bool Server::expect_records() noexcept {
  control_.check();
  parts_->bell.control.prepare_to_sleep();
  for (const auto& forwarder : parts_->forwarders)
    if (!forwarder->records().empty()) {
      parts_->bell.control.awake();
      return true;
    }
  if (!parts_->upstreams.is_stale()) return false;
  parts_->bell.control.awake();
  return true;
}

void Server::ping() {
  control_.check();
  parts_->outbox.ping(next_ping_);
  for (auto& acceptor : parts_->acceptors) acceptor->ping();
  ++next_ping_;
  parts_->upstreams.look_at_host();
  parts_->upstreams.reclaim(next_ping_, answered_ping(), os::now());
}

std::uint64_t Server::answered_ping() const noexcept {
  std::uint64_t answered = next_ping_;
  for (const auto& forwarder : parts_->forwarders)
    answered = std::min(answered, forwarder->answer().number());
  return answered;
}

void Server::remove_endpoints(std::vector<session::EndpointRemoval> removals) {
  control_.check();
  const base::Duration timeout = parts_->spec.runtime.drain.timeout;
  const auto deadline = (os::now() + timeout).time_since_epoch().count();
  for (const session::EndpointRemoval& removal : removals)
    if (!removal.at_once)
      removal.endpoint->drain_deadline.store(deadline, std::memory_order_relaxed);
  parts_->outbox.send(
      {.kind = Command::Kind::remove_endpoints,
       .timeout = timeout,
       .removals = std::make_shared<const session::EndpointRemovals>(std::move(removals))});
}

void Server::stop_accepting(const std::vector<bool>& which, std::function<void()> done) {
  control_.check();
  auto countdown = std::make_shared<Countdown>(parts_->acceptors.size(), std::move(done));
  for (auto& acceptor : parts_->acceptors)
    acceptor->stop_accepting(which, [countdown] { countdown->report(); });
}

void Server::begin_drain(base::Duration timeout) {
  control_.check();
  parts_->outbox.send({.kind = Command::Kind::drain, .timeout = timeout});
}

void Server::cut_connections() {
  control_.check();
  parts_->outbox.send({.kind = Command::Kind::cut});
}

void Server::stop() {
  control_.check();
  for (auto& acceptor : parts_->acceptors) acceptor->stop();
  for (auto& forwarder : parts_->forwarders) forwarder->request_stop();
  for (auto& forwarder : parts_->forwarders) forwarder->join();
}

}  // namespace penstock::runtime
