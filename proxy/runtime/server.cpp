#include "runtime/server.hpp"

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>
#include <utility>

#include "base/assert.hpp"
#include "files/site.hpp"
#include "os/address.hpp"
#include "os/clock.hpp"
#include "os/host_addresses.hpp"
#include "os/network_device.hpp"
#include "os/numa.hpp"
#include "os/reuseport.hpp"
#include "os/socket.hpp"
#include "os/socket_file.hpp"
#include "os/topology.hpp"
#include "os/wakeup.hpp"
#include "runtime/acceptor.hpp"
#include "runtime/admission.hpp"
#include "runtime/command_outbox.hpp"
#include "runtime/countdown.hpp"
#include "runtime/devices.hpp"
#include "runtime/forwarder.hpp"
#include "runtime/forwarder_view.hpp"
#include "runtime/node_arena.hpp"
#include "runtime/options.hpp"
#include "runtime/placement.hpp"
#include "runtime/thread_place.hpp"
#include "session/context.hpp"
#include "session/listener.hpp"
#include "session/record.hpp"
#include "session/stall.hpp"
#include "upstream/registry.hpp"
#include "upstream/upstream.hpp"
#include "upstream/wait_queue.hpp"

namespace penstock::runtime {

namespace {

using Built = base::SentenceOr<void>;
using SocketsByAcceptor = std::vector<std::vector<BoundSocket>>;

std::string in_listener(const ListenerSpec& listener, const std::string& what) {
  return "listener " + listener.session.name + ": " + what;
}

// The sentence of what refuses to bind memory, where some thread needs it bound.
std::string missing_for_strict(const Placement& placement) {
  std::vector<int> nodes;
  for (const auto* plans : {&placement.forwarders, &placement.acceptors})
    for (const ThreadPlan& plan : *plans)
      if (plan.memory == MemoryPolicy::bound) nodes.push_back(plan.memory_node);
  if (nodes.empty()) return {};
  const auto refused = os::memory_binding_refused(nodes);
  if (!refused) return {};
  std::string sentence{"runtime.numa: strict cannot be kept: "};
  return sentence.append(*refused).append(
      "; a container needs CAP_SYS_NICE or a seccomp profile that allows the memory policy calls; "
      "else set runtime.numa: auto");
}

}  // namespace

// In the order of construction, and so the reverse order of destruction: who uses comes after what
// is used.
struct Server::Parts final : upstream::QueueBell {
  Parts(ServerSpec given, session::LogSwitches switches)
      : spec{std::move(given)}, log{switches}, upstreams{spec.upstreams, os::now()} {
    upstreams.set_bell(*this);
  }

  const ServerSpec spec;
  const session::LogSwitches log;
  upstream::Registry upstreams;
  std::vector<std::unique_ptr<session::Listener>> listeners;
  std::vector<std::vector<os::SocketAddress>> addresses;
  std::vector<os::NetworkDevice> devices;
  Placement placement;
  RecordBell bell;
  std::vector<std::unique_ptr<os::Wakeup>> resume_bells;
  std::unique_ptr<Admission> admission;
  std::vector<NodeArena::Owner> arenas;  // by forwarder
  std::vector<InArena<Forwarder>> forwarders;
  std::vector<std::unique_ptr<Acceptor>> acceptors;
  std::size_t next_ring = 0;  // of take_record(), so that no forwarder is preferred
  std::uint64_t next_ping = 1;
  CommandOutbox outbox;

  Built build();
  Built plan();
  Built add_listener(const ListenerSpec& listener, SocketsByAcceptor& sockets);
  Built bind_sockets(const ListenerSpec& given, session::Listener& listener,
                     SocketsByAcceptor& sockets);
  void add_forwarders();
  void add_acceptors(SocketsByAcceptor sockets);
  void ring(std::uint16_t forwarder) noexcept override { forwarders[forwarder]->wake_queued(); }
  void note_refusal(const std::string& sentence);
  std::uint64_t answered_ping() const noexcept;
};

Built Server::Parts::plan() {
  std::vector<std::vector<os::SocketAddress>> asked;
  for (const ListenerSpec& listener : spec.listeners) asked.push_back(listener.addresses);
  devices = devices_at(asked);
  auto planned = plan_placement(spec.runtime, os::numa_topology(), devices);
  if (!planned) return planned.error();
  placement = std::move(*planned);
  if (std::string refused = missing_for_strict(placement); !refused.empty()) return refused;
  return {};
}

Built Server::Parts::add_listener(const ListenerSpec& given, SocketsByAcceptor& sockets) {
  auto listener = std::make_unique<session::Listener>();
  listener->index = static_cast<std::uint32_t>(listeners.size());
  listener->options = given.session;
  if (given.session.files) {
    auto site = files::Site::open(*given.session.files);
    if (!site) return in_listener(given, site.error());
    listener->site = std::move(*site);
  } else {
    listener->upstream = upstreams.find(given.session.upstream);
  }
  if (auto opened = bind_sockets(given, *listener, sockets); !opened) return opened;
  listeners.push_back(std::move(listener));
  return {};
}

Built Server::Parts::bind_sockets(const ListenerSpec& given, session::Listener& listener,
                                  SocketsByAcceptor& sockets) {
  std::vector<os::SocketAddress> bound;
  const std::vector<os::SteeringRule> rules = steering_rules(placement.acceptors);
  for (const os::SocketAddress& address : given.addresses) {
    auto group = os::listen_as_group(address, given.listen, given.session.socket, rules);
    if (!group) return in_listener(given, group.error());
    if (group->refused && spec.runtime.numa == NumaMode::strict)
      return in_listener(given, "runtime.numa: strict cannot be kept: " + *group->refused);
    if (group->refused) note_refusal(*group->refused);
    // Port 0 leaves the choice to the kernel.
    bound.push_back(address.is_unix()
                        ? address
                        : os::SocketAddress{os::local_endpoint(group->sockets.front().get())});
    for (std::size_t i = 0; i < group->sockets.size(); ++i)
      sockets[i].push_back({.socket = std::move(group->sockets[i]),
                            .address = bound.back(),
                            .file = os::SocketFile{address},
                            .listener = &listener});
  }
  addresses.push_back(std::move(bound));
  return {};
}

// Once for all listeners.
void Server::Parts::note_refusal(const std::string& sentence) {
  auto& said = placement.decisions;
  if (std::find(said.begin(), said.end(), sentence) == said.end()) said.push_back(sentence);
}

void Server::Parts::add_forwarders() {
  std::vector<upstream::Upstream*> all_upstreams;
  for (const auto& upstream : upstreams.upstreams()) all_upstreams.push_back(upstream.get());
  std::vector<const files::Site*> sites;
  for (const auto& listener : listeners)
    if (listener->site) sites.push_back(listener->site.get());
  for (std::size_t i = 0; i < placement.forwarders.size(); ++i) {
    Forwarder::Setup setup{.index = static_cast<std::uint16_t>(i),
                           .plan = placement.forwarders[i],
                           .relay = spec.relay,
                           .acceptors = placement.acceptors.size(),
                           .listeners = listeners.size(),
                           .upstreams = all_upstreams,
                           .sites = sites,
                           .upstreams_stale = &upstreams.stale(),
                           .spin = spec.runtime.spin};
    work_as_planned(placement.forwarders[i], [&] {
      NodeArena& arena = *arenas.emplace_back(NodeArena::create(setup.plan));
      forwarders.push_back(
          make_in<Forwarder>(arena, std::move(setup), log, *admission, bell, arena));
    });
  }
  for (auto& forwarder : forwarders) outbox.add(*forwarder);
}

void Server::Parts::add_acceptors(SocketsByAcceptor sockets) {
  std::vector<Forwarder*> all;
  for (const auto& forwarder : forwarders) all.push_back(forwarder.get());
  for (std::size_t i = 0; i < placement.acceptors.size(); ++i)
    acceptors.push_back(std::make_unique<Acceptor>(
        Acceptor::Setup{
            .index = i, .stride = placement.acceptors.size(), .plan = placement.acceptors[i]},
        std::move(sockets[i]), all, *admission, *resume_bells[i]));
}

Built Server::Parts::build() {
  if (auto planned = plan(); !planned) return planned;
  SocketsByAcceptor sockets(placement.acceptors.size());
  for (const ListenerSpec& listener : spec.listeners)
    if (auto added = add_listener(listener, sockets); !added) return added;
  std::vector<os::Wakeup*> bells;
  for (std::size_t i = 0; i < placement.acceptors.size(); ++i)
    bells.push_back(resume_bells.emplace_back(std::make_unique<os::Wakeup>()).get());
  admission = std::make_unique<Admission>(spec.runtime.max_connections, bells);
  add_forwarders();
  add_acceptors(std::move(sockets));
  return {};
}

Server::Server(std::unique_ptr<Parts> parts) : parts_{std::move(parts)} {}

Server::~Server() = default;

Server::Created Server::create(ServerSpec spec, session::LogSwitches log) {
  PENSTOCK_ASSERT(spec.runtime.max_connections > 0);  // control has worked out `auto`
  auto parts = std::make_unique<Parts>(std::move(spec), log);
  if (auto built = parts->build(); !built) return built.error();
  return std::unique_ptr<Server>{new Server{std::move(parts)}};
}

void Server::start(const ThreadLocks& locks) {
  for (auto& forwarder : parts_->forwarders) forwarder->start(locks.forwarder);
  for (auto& acceptor : parts_->acceptors) acceptor->start(locks.acceptor);
}

std::vector<ForwarderView> Server::forwarders() const {
  std::vector<ForwarderView> views;
  for (const auto& forwarder : parts_->forwarders) {
    const ThreadPlan& plan = forwarder->setup().plan;
    views.push_back({.index = forwarder->setup().index,
                     .node = plan.node,
                     .cpu = plan.cpus.size() == 1 ? plan.cpus.front() : -1,
                     .relay = forwarder->relay_counters(),
                     .sessions = forwarder->session_counters(),
                     .rounds = forwarder->rounds(),
                     .last_answer = forwarder->answer().at(),
                     .sites = &forwarder->sites(),
                     .ring_refusal = forwarder->ring_refusal()});
  }
  return views;
}

const std::vector<std::unique_ptr<session::Listener>>& Server::listeners() const noexcept {
  return parts_->listeners;
}

const std::vector<os::SocketAddress>& Server::addresses(std::size_t listener) const noexcept {
  return parts_->addresses[listener];
}

const upstream::Registry& Server::upstreams() const noexcept {
  return parts_->upstreams;
}
upstream::Registry& Server::upstreams() noexcept {
  return parts_->upstreams;
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

std::vector<ThreadView> Server::threads() const {
  std::vector<ThreadView> views;
  const auto add = [&](const std::string& kind, const auto& thread,
                       std::optional<ArenaView> arena) {
    views.push_back({.name = kind + std::to_string(thread->setup().index),
                     .plan = thread->setup().plan,
                     .seen = thread->place().seen(),
                     .arena = std::move(arena)});
  };
  for (const auto& acceptor : parts_->acceptors) {
    add("acceptor-", acceptor, std::nullopt);
    views.back().accepted =
        AcceptedView{.connections = acceptor->accepted(), .passed_on = acceptor->passed_on()};
  }
  for (std::size_t i = 0; i < parts_->forwarders.size(); ++i)
    add("forwarder-", parts_->forwarders[i], parts_->arenas[i]->view());
  return views;
}

std::vector<ThreadView> Server::threads_with_pages() const {
  std::vector<ThreadView> views = threads();
  const std::size_t first = parts_->acceptors.size();
  for (std::size_t i = 0; i < parts_->arenas.size(); ++i)
    views[first + i].arena->pages = parts_->arenas[i]->pages();
  return views;
}

const std::vector<os::NetworkDevice>& Server::devices() const noexcept {
  return parts_->devices;
}

bool Server::take_record(session::Record& record) noexcept {
  const std::size_t count = parts_->forwarders.size();
  for (std::size_t step = 0; step < count; ++step) {
    const std::size_t ring = (parts_->next_ring + step) % count;
    if (!parts_->forwarders[ring]->records().try_pop(record)) continue;
    parts_->next_ring = ring + 1;
    return true;
  }
  return false;
}

bool Server::take_stall(session::Stall& stall) noexcept {
  for (const auto& forwarder : parts_->forwarders)
    if (forwarder->stalls().try_pop(stall)) return true;
  return false;
}

os::Wakeup& Server::records_wakeup() noexcept {
  return parts_->bell.wakeup;
}

bool Server::expect_records() noexcept {
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
  parts_->outbox.ping(parts_->next_ping);
  for (auto& acceptor : parts_->acceptors) acceptor->ping();
  ++parts_->next_ping;
  parts_->upstreams.reclaim(parts_->next_ping, parts_->answered_ping(), os::now());
}

std::uint64_t Server::Parts::answered_ping() const noexcept {
  std::uint64_t answered = next_ping;
  for (const auto& forwarder : forwarders)
    answered = std::min(answered, forwarder->answer().number());
  return answered;
}

void Server::remove_endpoint(upstream::LiveRecord& endpoint, session::CloseReason reason,
                             bool at_once) {
  const base::Duration timeout = parts_->spec.runtime.drain.timeout;
  if (!at_once)
    endpoint.drain_deadline.store((os::now() + timeout).time_since_epoch().count(),
                                  std::memory_order_relaxed);
  parts_->outbox.send({.kind = Command::Kind::remove_endpoint,
                       .timeout = timeout,
                       .removal = {.endpoint = &endpoint, .reason = reason, .at_once = at_once}});
}

void Server::stop_accepting(const std::vector<bool>& which, std::function<void()> done) {
  auto countdown = std::make_shared<Countdown>(parts_->acceptors.size(), std::move(done));
  for (auto& acceptor : parts_->acceptors)
    acceptor->stop_accepting(which, [countdown] { countdown->report(); });
}

void Server::begin_drain(base::Duration timeout) {
  parts_->outbox.send({.kind = Command::Kind::drain, .timeout = timeout});
}

void Server::cut_connections() {
  parts_->outbox.send({.kind = Command::Kind::cut});
}

void Server::stop() {
  for (auto& acceptor : parts_->acceptors) acceptor->stop();
  for (auto& forwarder : parts_->forwarders) forwarder->request_stop();
  for (auto& forwarder : parts_->forwarders) forwarder->join();
}

}  // namespace penstock::runtime
