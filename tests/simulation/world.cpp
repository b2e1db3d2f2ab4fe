#include "simulation/world.hpp"

#include <algorithm>
#include <cerrno>
#include <tuple>

#include "base/assert.hpp"

namespace penstock::simulation {

namespace {

constexpr std::size_t connections_room = 1'000'000;  // of the admission: never the limit here

std::vector<upstream::ClusterSpec> clusters(const Plan& plan) {
  upstream::ClusterSpec spec;
  spec.name = "u";
  for (std::size_t i = 0; i < Plan::endpoints; ++i) {
    const std::string number = std::to_string(i);
    const std::string address =
        plan.unix_endpoints ? "unix:/run/" + number : "10.0.0." + number + ":80";
    spec.endpoints.push_back({.identity = address,
                              .address = *os::parse_socket_address(address),
                              .max_connections = plan.places});
  }
  spec.queue = {.size = connections_room, .timeout = plan.patience};
  return {spec};
}

}  // namespace

World::World(std::uint64_t seed)
    : random_{seed},
      plan_{plan_from(random_)},
      kernel_{random_, *this, plan_.start},
      turns_left_{plan_.turns},
      draining_{false},
      admission_{connections_room, {}},
      bell_{(Kernel::set_current(&kernel_), runtime::SleepFlag{}), os::Wakeup{}} {
  kernel_.conditions() = plan_.conditions;
  if (plan_.pings) next_ping_ = plan_.start;
  registry_ = std::make_unique<upstream::Registry>(clusters(plan_), plan_.start);
  registry_->set_bell(*this);
  listener_.options.timeouts = plan_.timeouts;
  listener_.upstream = registry_->upstreams().front().get();
  runtime::Forwarder::Setup setup;
  setup.relay = plan_.relay;
  setup.listeners = 1;
  setup.upstreams = {listener_.upstream};
  setup.upstreams_stale = &registry_->stale();
  forwarder_ = std::make_unique<runtime::Forwarder>(std::move(setup), log_, admission_, bell_,
                                                    *std::pmr::new_delete_resource());
  prepare_content();
}

World::~World() {
  forwarder_.reset();
  bell_.wakeup = os::Wakeup{};
}

void World::run(Tally& tally) {
  forwarder_->start(nullptr);
  forwarder_->join();
  collect_records();
  check_end();
  tally.connections += connections_.size();
  tally.steps += kernel_.steps();
  for (std::size_t i = 0; i < tally.bytes.size(); ++i) tally.bytes[i] += tally_.bytes[i];
  for (std::size_t i = 0; i < tally.reasons.size(); ++i) tally.reasons[i] += tally_.reasons[i];
}

Connection& World::of(const Socket& socket) {
  return *connections_[static_cast<std::size_t>(socket.connection)];
}

void World::act_now_and_then() {
  if (!stopping_ && random_.one_in(8)) act();
}

bool World::act() {
  if (stopping_) return false;
  if (kernel_.now() >= next_ping_) ping();
  if (turns_left_ == 0 && !healed_) heal();
  if (healed_) return settle();
  --turns_left_;
  if (plan_.crowd)
    while (connections_.size() < plan_.connections) open_connection();
  if (connections_.empty() || (connections_.size() < plan_.connections && random_.one_in(4))) {
    open_connection();
    return true;
  }
  jump_or_drain();
  Connection& connection = pick_live();
  act_on(connection, static_cast<unsigned>(random_.between(0, 1)));
  return true;
}

Connection& World::pick_live() {
  std::size_t place = random_.between(0, connections_.size() - 1);
  for (std::size_t i = 0; i < connections_.size() && connections_[place]->recorded; ++i)
    place = (place + 1) % connections_.size();
  return *connections_[place];
}

void World::open_connection() {
  auto connection = std::make_unique<Connection>();
  const auto number = static_cast<int>(connections_.size());
  for (Peer& peer : connection->peers) {
    peer.to_send = random_.one_in(6) ? 0 : random_.between(1, plan_.bytes_max);
    peer.piece = static_cast<std::uint32_t>(
        random_.one_in(3) ? random_.between(1, 40) : random_.between(1, plan_.piece_max));
  }
  connection->peers[random_.between(0, 1)].answers = random_.one_in(3);
  auto socket = kernel_.make_socket();
  socket->connection = number;
  socket->state = Socket::State::established;
  connection->ends[0] = socket;
  connection->disturbed = plan_.short_timeouts || draining_;
  session::Arrival arrival;
  arrival.socket = kernel_.new_socket(socket);
  arrival.peer.family = os::IpEndpoint::Family::v4;
  arrival.id = static_cast<std::uint64_t>(number);
  arrival.at = connection->begun = kernel_.now();
  arrival.listener = &listener_;
  arrival.over_limit = plan_.resets && random_.one_in(50);
  if (arrival.over_limit) connection->disturbed = true;
  connections_.push_back(std::move(connection));
  PENSTOCK_ASSERT(admission_.reserve());
  listener_.active.fetch_add(1);
  PENSTOCK_ASSERT(forwarder_->offer(0, arrival));
  forwarder_->wake_for_arrivals();
}

void World::jump_or_drain() {
  if (plan_.jumps && random_.one_in(300)) stand_still();
  if (!plan_.drains || draining_ || !random_.one_in(500)) return;
  draining_ = true;
  for (auto& connection : connections_) connection->disturbed = true;
  const runtime::Command drain{.kind = runtime::Command::Kind::drain,
                               .timeout = std::chrono::milliseconds{random_.between(0, 5000)}};
  PENSTOCK_ASSERT(forwarder_->command(drain));
}

// Meanwhile the others go on.
void World::stand_still() {
  for (auto turns = random_.between(0, 8); turns > 0; --turns)
    act_on(pick_live(), static_cast<unsigned>(random_.between(0, 1)));
  kernel_.pass(std::chrono::milliseconds{random_.between(1, 20'000)});
}

bool World::act_on(Connection& connection, unsigned side) {
  if (connection.ends[side] == nullptr || connection.ends[side]->closed) return false;
  Socket& socket = *connection.ends[side];
  Peer& peer = connection.peers[side];
  if (socket.state == Socket::State::dead) return false;
  if (socket.state == Socket::State::connecting) return decide_connect(connection, socket);
  if (plan_.resets && !healed_ && random_.one_in(150)) return disturb(connection, socket);
  if (!healed_ && random_.one_in(10)) peer.stalled = !peer.stalled && random_.one_in(3);
  const bool first = random_.one_in(2) ? deliver(socket, peer) : take(socket, peer);
  if (first && !healed_) return true;
  const bool delivered = deliver(socket, peer);
  return take(socket, peer) || delivered || first;
}

bool World::decide_connect(Connection& connection, Socket& socket) {
  if (!healed_ && random_.one_in(3)) return false;
  if (plan_.resets && !healed_ && random_.one_in(6)) {
    connection.disturbed = true;
    if (random_.one_in(4))
      socket.reaches_itself = true;
    else
      return kernel_.reset(socket, random_.one_in(2) ? ECONNREFUSED : EHOSTUNREACH), true;
  }
  socket.state = Socket::State::established;
  socket.stood = kernel_.now();
  kernel_.wake(socket);
  return true;
}

bool World::deliver(Socket& socket, const Peer& peer) {
  if (!socket.peer_answers || socket.fin_received) return false;
  const std::uint64_t left = peer.to_send - socket.arrived;
  if (left == 0) {
    const bool waits = peer.answers && !(socket.fin_sent && socket.taken == socket.sent);
    if (waits || (!healed_ && random_.one_in(2))) return false;
    socket.fin_received = true;
    kernel_.wake(socket);
    return true;
  }
  const std::uint64_t window =
      socket.receive_capacity - std::min(socket.receive_capacity, socket.unread());
  const std::uint64_t most = std::min({left, window, std::uint64_t{peer.piece}});
  if (most == 0) return false;
  const bool urgent = !healed_ && random_.one_in(60);
  kernel_.arrive(socket, urgent ? 1 : static_cast<std::uint32_t>(random_.between(1, most)), urgent);
  return true;
}

bool World::take(Socket& socket, const Peer& peer) {
  const std::uint64_t waiting = socket.sent - socket.taken;
  if (peer.stalled || !socket.peer_answers || waiting == 0) return false;
  kernel_.take(socket, healed_ ? waiting : random_.between(1, waiting));
  return true;
}

bool World::disturb(Connection& connection, Socket& socket) {
  connection.disturbed = true;
  if (random_.one_in(4)) {
    socket.peer_answers = false;
    socket.silent_since = kernel_.now();
  } else {
    kernel_.reset(socket, random_.one_in(4) ? ETIMEDOUT : ECONNRESET);
  }
  return true;
}

void World::heal() {
  while (connections_.size() < plan_.connections) open_connection();
  healed_ = true;
  kernel_.conditions().one_in = 0;
  kernel_.conditions().small_pipes = false;
  kernel_.conditions().crowd = false;
  kernel_.conditions().lost_in = 0;
  for (auto& connection : connections_)
    for (Peer& peer : connection->peers) {
      peer.stalled = false;
      peer.piece = std::max<std::uint32_t>(peer.piece, 4096);
    }
}

bool World::settle() {
  for (std::size_t i = 0; i < 2 * connections_.size(); ++i) {
    settled_ = (settled_ + 1) % (2 * connections_.size());
    if (act_on(*connections_[settled_ / 2], settled_ % 2)) return true;
  }
  return false;
}

// After the healing as often as it takes to take everybody up; then timeouts must end the rest.
void World::ping() {
  constexpr unsigned last_pings_max = 100;
  last_pings_ = healed_ ? last_pings_ + 1 : 0;
  next_ping_ = last_pings_ < last_pings_max ? kernel_.now() + std::chrono::seconds{1} : base::never;
  std::ignore = forwarder_->command({.kind = runtime::Command::Kind::ping});
}

std::string World::describe(const Connection& connection) {
  std::string text;
  for (const auto& end : connection.ends) {
    if (!end) continue;
    text += end->side == 0 ? "client" : ", upstream";
    text += end->state == Socket::State::dead ? " dead" : "";
    text += end->fin_received ? " FIN in" : "";
    text += end->fin_sent ? " FIN out" : "";
    text += end->closed ? " closed" : "";
    text += " unread " + std::to_string(end->unread()) + " room " + std::to_string(end->room());
  }
  return text;
}

void World::at_rest() {
  collect_records();
  for (std::size_t i = 0; i < connections_.size(); ++i)
    if (!connections_[i]->recorded)
      violated("when the faults are healed, everything ends", static_cast<int>(i),
               "the loop sleeps for ever and this connection is still there: " +
                   describe(*connections_[i]));
  stopping_ = true;
  forwarder_->request_stop();
}

}  // namespace penstock::simulation
