#include "simulation/scene.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/assert.hpp"
#include "runtime/command.hpp"
#include "simulation/rig.hpp"
#include "upstream/cluster.hpp"
#include "upstream/upstream.hpp"

namespace penstock::simulation {

namespace {

constexpr base::Instant start{std::chrono::hours{1}};
constexpr std::uint64_t buffer_bytes = 64 * 1024;  // of every socket, in each direction

// Found by search: the first three pauses (session/connecting) and the lifetime
// (session/standing_session) of these are exactly as long as they are meant to be.
constexpr std::array<std::uint64_t, Scene::connections_max> ids_without_jitter{
    0xc8b1'f456'2e0b'56db, 0x3df7'71e9'5d6f'1507, 0x6174'6b62'9ee2'6df9, 0x2a85'8079'4fff'0c05};

int error_of(Answer answer) noexcept {
  switch (answer) {
    case Answer::has_no_route: return ENETUNREACH;
    case Answer::has_a_full_queue: return EAGAIN;
    case Answer::accepts:
    case Answer::refuses:
    case Answer::keeps_silent: return 0;
  }
  return 0;
}

Rig::Parts parts_of(const Setting& setting) {
  Rig::Parts parts;
  parts.start = start;
  parts.conditions.short_in = 0;
  parts.conditions.calls_take_time = false;
  auto& upstream = parts.upstream.emplace();
  upstream.name = "u";
  upstream.endpoints =
      Rig::endpoints(setting.endpoints, setting.unix_sockets, setting.endpoint_places);
  upstream.balance = upstream::Balance::first;
  upstream.connect.timeout = setting.connect_timeout;
  upstream.connect.attempts = setting.attempts;
  upstream.connect.ready = setting.ready;
  upstream.outlier.emplace();
  upstream.max_connections = setting.upstream_places;
  upstream.queue = setting.queue;
  parts.timeouts = setting.timeouts;
  parts.relay.engine = relay::EnginePolicy::copy;
  return parts;
}

}  // namespace

void violated(const char* invariant, int connection, const std::string& what) {
  std::fprintf(stderr, "violated: %s (connection %d): %s\n", invariant, connection, what.c_str());
  std::abort();
}

void Peer::accepts() {
  PENSTOCK_ASSERT(socket_ && socket_->state == Socket::State::connecting);
  socket_->state = Socket::State::established;
  socket_->stood = scene_.rig_->kernel.now();
  scene_.rig_->kernel.wake(*socket_);
  scene_.passes(base::Duration{0});
}

void Peer::sends(std::string_view text) {
  PENSTOCK_ASSERT(socket_ && socket_->state == Socket::State::established);
  sent_ += text;
  scene_.rig_->kernel.arrive(*socket_, static_cast<std::uint32_t>(text.size()), false);
  scene_.passes(base::Duration{0});
}

void Peer::finishes() {
  PENSTOCK_ASSERT(socket_ && socket_->state == Socket::State::established);
  socket_->fin_received = true;
  scene_.rig_->kernel.wake(*socket_);
  scene_.passes(base::Duration{0});
}

void Peer::resets() {
  PENSTOCK_ASSERT(socket_ && socket_->state != Socket::State::dead);
  scene_.rig_->kernel.reset(*socket_, ECONNRESET);
  scene_.passes(base::Duration{0});
}

void Peer::reads_on() {
  reads_ = true;
  take();
  scene_.passes(base::Duration{0});
}

void Peer::take() {
  if (!reads_ || in_flight_.empty()) return;
  received += in_flight_;
  scene_.rig_->kernel.take(*socket_, std::exchange(in_flight_, {}).size());
}

Scene::Scene(const Setting& setting)
    : endpoints_(setting.endpoints),
      until_{start},
      rig_{std::make_unique<Rig>(random_, *this, parts_of(setting))} {
  rig_->forwarder.start(nullptr);
  std::unique_lock lock{mutex_};
  wait_for_turn(lock, true);
}

Scene::~Scene() {
  until_ = base::never;
  rig_->forwarder.request_stop();
  {
    const std::lock_guard lock{mutex_};
    is_storys_turn_ = false;
  }
  turn_has_changed_.notify_all();
  rig_->forwarder.join();
  rig_->check_given_back();
}

std::size_t Scene::queued() const {
  return rig_->upstream().queue().length();
}

upstream::Upstream& Scene::upstream() {
  return rig_->upstream();
}

const upstream::LiveRecord& Scene::live(std::uint16_t index) const {
  return *rig_->upstream().cluster().endpoint(index).live;
}

std::vector<std::span<const std::byte>> Scene::shared() const {
  const auto bytes_of = [](const auto& object) { return std::as_bytes(std::span{&object, 1}); };
  return {bytes_of(rig_->admission), bytes_of(rig_->listener), bytes_of(rig_->upstream()),
          bytes_of(live())};
}

Connection& Scene::connects() {
  const std::size_t number = connections_.size();
  Connection& connection = connections_.emplace_back(*this, static_cast<int>(number));
  auto socket = rig_->kernel.make_socket();
  socket->connection = static_cast<int>(number);
  socket->state = Socket::State::established;
  connection.client.socket_ = socket;
  rig_->kernel.new_socket(socket);
  rig_->hand_over(socket, ids_without_jitter.at(number));
  passes(base::Duration{0});
  return connection;
}

void Scene::wait_for_turn(std::unique_lock<std::mutex>& lock, bool storys) {
  turn_has_changed_.wait(lock, [this, storys] { return is_storys_turn_ == storys; });
}

// The story's turn ends, and begins again when the forwarder sleeps beyond that time.
void Scene::passes(base::Duration time) {
  until_ = rig_->kernel.now() + time;
  std::unique_lock lock{mutex_};
  is_storys_turn_ = false;
  turn_has_changed_.notify_all();
  wait_for_turn(lock, true);
}

void Scene::ping() {
  std::unique_lock lock{mutex_};
  is_storys_turn_ = true;
  turn_has_changed_.notify_all();
  wait_for_turn(lock, false);
}

void Scene::obeys(const runtime::Command& command) {
  PENSTOCK_ASSERT(rig_->forwarder.command(command));
  passes(base::Duration{0});
}

void Scene::drains(base::Duration timeout) {
  obeys({.kind = runtime::Command::Kind::drain, .timeout = timeout});
}

void Scene::cuts() {
  obeys({.kind = runtime::Command::Kind::cut});
}

void Scene::pings() {
  obeys({.kind = runtime::Command::Kind::ping});
}

void Scene::says(upstream::Override said, std::uint16_t endpoint) {
  upstream::LiveRecord& live = *rig_->upstream().cluster().endpoint(endpoint).live;
  rig_->registry.set_override(live, said, rig_->kernel.now());
  rig_->registry.refresh(rig_->kernel.now());
}

std::vector<Peer> Scene::ready() {
  std::vector<Peer> peers;
  for (const auto& socket : dialled_) {
    if (socket->closed || socket->registered) continue;
    peers.emplace_back(*this, -1, 1U).socket_ = socket;
  }
  return peers;
}

void Scene::at_rest() {
  violated("a story lets time pass", -1, "the loop sleeps for ever");
}

void Scene::collect_records() {
  session::Record record;
  while (rig_->forwarder.records().try_pop(record)) {
    if (record.event != session::Record::Event::close) continue;
    const auto* const id =
        std::find(ids_without_jitter.begin(), ids_without_jitter.end(), record.id);
    connections_.at(static_cast<std::size_t>(id - ids_without_jitter.begin())).record = record;
  }
}

void Scene::registered(const std::shared_ptr<Socket>& socket, std::uint64_t token) {
  socket->receive_capacity = socket->send_capacity = buffer_bytes;
  if (socket->connection < 0) return begin_attempt(socket, token);
  connections_[static_cast<std::size_t>(socket->connection)].token = token >> 1;
}

// A session's two tokens differ in the last bit: session/session.hpp.
void Scene::begin_attempt(const std::shared_ptr<Socket>& socket, std::uint64_t token) {
  const auto found = std::find_if(connections_.begin(), connections_.end(), [&](const auto& each) {
    return !each.record && each.token == token >> 1;
  });
  if (found == connections_.end())
    violated("a socket belongs to a live session", -1, "token " + std::to_string(token));
  socket->connection = found->server.connection_;
  found->server.socket_ = socket;
}

void Scene::dialled(const std::shared_ptr<Socket>& socket, const os::SocketAddress&) {
  dialled_.push_back(socket);
  if (answer_ == Answer::accepts) {
    socket->state = Socket::State::established;
    socket->stood = rig_->kernel.now();
  }
  if (answer_ == Answer::refuses) rig_->kernel.reset(*socket, ECONNREFUSED);
}

Peer& Scene::peer(const Socket& socket) {
  Connection& connection = connections_.at(static_cast<std::size_t>(socket.connection));
  return socket.side == 0 ? connection.client : connection.server;
}

void Scene::fill(std::span<std::byte> into, int connection, unsigned side, std::uint64_t offset) {
  const Connection& from = connections_.at(static_cast<std::size_t>(connection));
  const std::string& text = (side == 0 ? from.client : from.server).sent_;
  std::memcpy(into.data(), text.data() + offset, into.size());
}

void Scene::sends(const Socket& target, std::span<const std::byte> bytes) {
  peer(target).in_flight_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void Scene::finishes(const Socket& target) {
  if (target.connection >= 0) peer(target).got_fin = true;
}

void Scene::resets(const Socket& target) {
  if (target.connection < 0) return;
  peer(target).got_reset = true;
  peer(target).in_flight_.clear();
}

void Scene::waits() {
  for (Connection& connection : connections_) {
    connection.client.take();
    connection.server.take();
  }
}

int Scene::error_at_once(const os::SocketAddress& address) {
  Endpoint& endpoint = endpoints_[rig_->place_of(address)];
  answer_ = endpoint.answers[std::min(endpoint.asked.size(), endpoint.answers.size() - 1)];
  endpoint.asked.push_back(rig_->kernel.now() - start);
  return error_of(answer_);
}

}  // namespace penstock::simulation
