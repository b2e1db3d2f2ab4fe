#include "simulation/file_world.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>

#include "base/assert.hpp"

namespace penstock::simulation {

namespace {
constexpr std::array<std::uint64_t, 8> sizes{0, 1, 100, 16'384, 16'385, 50'000, 200'000, 1'000'000};

std::array<std::uint64_t, sizes.size()> sizes_of(const Plan& plan) {
  auto result = sizes;
  for (std::uint64_t& size : result)
    size = std::min(size, std::max<std::uint64_t>(plan.bytes_max, 1000));
  return result;
}

Rig::Parts parts_of(const Plan& plan, const std::array<std::uint64_t, sizes.size()>& bytes,
                    Random& random) {
  Rig::Parts parts;
  parts.start = plan.start;
  parts.conditions = plan.conditions;
  parts.timeouts = plan.timeouts;
  parts.relay = plan.relay;
  parts.file_bytes = bytes;
  auto& files = parts.files.emplace();
  files.root = "/";
  files.open_files = random.between(1, 10);
  return parts;
}
}  // namespace

std::size_t Client::requests_within(std::uint64_t bytes) const noexcept {
  return static_cast<std::size_t>(std::count_if(
      requests.begin(), requests.end(), [=](const Request& one) { return one.end <= bytes; }));
}

std::uint64_t Client::end_of(std::size_t count) const noexcept {
  return count == 0 ? 0 : requests[count - 1].end;
}

FileWorld::FileWorld(std::uint64_t seed)
    : random_{seed},
      plan_{plan_for_files(random_)},
      first_bytes_{sizes_of(plan_)},
      rig_{random_, *this, parts_of(plan_, first_bytes_, random_)},
      turns_left_{plan_.turns} {}

void FileWorld::run(Tally& tally) {
  rig_.forwarder.start(nullptr);
  rig_.forwarder.join();
  collect_records();
  check_end();
  tally.connections += clients_.size();
  tally.steps += rig_.kernel.steps();
  tally += tally_;
}

void FileWorld::act_now_and_then() {
  if (!stopping_ && random_.one_in(8)) act();
}

bool FileWorld::act() {
  if (stopping_) return false;
  if (turns_left_ == 0 && !healed_) heal();
  if (healed_) {
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      settled_ = (settled_ + 1) % clients_.size();
      if (act_on(*clients_[settled_])) return true;
    }
    return false;
  }
  --turns_left_;
  if (clients_.empty() || (clients_.size() < plan_.connections && random_.one_in(4))) {
    open_connection();
    return true;
  }
  if (plan_.drains && drain_deadline_ == base::never && random_.one_in(200)) drain();
  if (plan_.resets && random_.one_in(400)) cut_a_file();
  if (plan_.jumps && random_.one_in(300))
    rig_.kernel.pass(std::chrono::milliseconds{random_.between(1, 20'000)});
  act_on(*clients_[random_.between(0, clients_.size() - 1)]);
  return true;
}

void FileWorld::open_connection() {
  auto client = std::make_unique<Client>();
  make_requests(*client);
  client->end = rig_.kernel.make_socket();
  client->end->connection = static_cast<int>(clients_.size());
  client->end->state = Socket::State::established;
  client->disturbed = client->disturbed || plan_.short_timeouts;
  client->moved = rig_.kernel.now();
  rig_.kernel.new_socket(client->end);
  const bool over_limit = plan_.resets && random_.one_in(50);
  client->disturbed = client->disturbed || over_limit;
  const std::shared_ptr<Socket> end = client->end;
  clients_.push_back(std::move(client));
  rig_.hand_over(end, clients_.size() - 1, over_limit);
}

void FileWorld::make_requests(Client& client) {
  const std::uint64_t count = random_.between(0, 8);
  for (std::uint64_t i = 0; i < count; ++i) {
    Request request;
    request.file = static_cast<unsigned>(random_.between(0, sizes.size() - 1));
    request.asks_close = i + 1 == count && random_.one_in(4);
    client.text += fmt::format("GET /{} HTTP/1.1\r\nHost: a\r\n{}\r\n", request.file,
                               request.asks_close ? "Connection: close\r\n" : "");
    request.end = client.text.size();
    client.requests.push_back(request);
    client.disturbed = client.disturbed || cut_[request.file];
  }
  client.pipelines = random_.one_in(3);
  client.leaves = random_.one_in(3);
  client.piece = static_cast<std::uint32_t>(random_.between(1, random_.one_in(2) ? 20 : 400));
}

bool FileWorld::act_on(Client& client) {
  Socket& socket = *client.end;
  if (socket.closed || socket.state == Socket::State::dead) return false;
  if (plan_.resets && !healed_ && random_.one_in(150)) return disturb(client), true;
  if (!healed_ && random_.one_in(10)) client.stalled = !client.stalled && random_.one_in(3);
  const bool first = random_.one_in(2) ? deliver(client) : take(client);
  if (first && !healed_) return true;
  const bool delivered = deliver(client);
  return take(client) || delivered || first;
}

bool FileWorld::deliver(Client& client) {
  Socket& socket = *client.end;
  if (!socket.peer_answers || socket.fin_received) return false;
  const auto& ends = client.answers.ends;
  const auto has = static_cast<std::size_t>(std::count_if(
      ends.begin(), ends.end(), [&](std::uint64_t end) { return end <= socket.taken; }));
  const bool knows = client.answers.told && has == ends.size() && !client.within_answer();
  const bool was_finished = socket.fin_sent && socket.taken == socket.sent;
  const std::size_t may_ask =
      client.pipelines ? client.requests.size() : std::min(has + 1, client.requests.size());
  const std::uint64_t allowed = knows || was_finished ? socket.arrived : client.end_of(may_ask);
  const std::uint64_t left = std::max(allowed, socket.arrived) - socket.arrived;
  if (left == 0) {
    const bool all_asked = socket.arrived == client.text.size();
    const bool done =
        knows || was_finished || (all_asked && (client.leaves || has == client.requests.size()));
    if (!done || (!healed_ && random_.one_in(2))) return false;
    socket.fin_received = true;
    rig_.kernel.wake(socket);
    return true;
  }
  const std::uint64_t window =
      socket.receive_capacity - std::min(socket.receive_capacity, socket.unread());
  const std::uint64_t most = std::min({left, window, std::uint64_t{client.piece}});
  if (most == 0) return false;
  rig_.kernel.arrive(socket, static_cast<std::uint32_t>(random_.between(1, most)), false);
  return true;
}

bool FileWorld::take(Client& client) {
  Socket& socket = *client.end;
  const std::uint64_t waiting = socket.sent - socket.taken;
  if (client.stalled || !socket.peer_answers || waiting == 0) return false;
  rig_.kernel.take(socket, healed_ ? waiting : random_.between(1, waiting));
  return true;
}

void FileWorld::disturb(Client& client) {
  client.disturbed = true;
  if (random_.one_in(4)) {
    client.end->peer_answers = false;
    client.end->silent_since = rig_.kernel.now();
  } else {
    rig_.kernel.reset(*client.end, random_.one_in(4) ? ETIMEDOUT : ECONNRESET);
  }
}

void FileWorld::drain() {
  const std::chrono::milliseconds timeout{random_.between(0, 5000)};
  drain_deadline_ = rig_.kernel.now() + timeout;
  drain_began_at_wait_ = waits_;
  const runtime::Command drain{.kind = runtime::Command::Kind::drain, .timeout = timeout};
  PENSTOCK_ASSERT(rig_.forwarder.command(drain));
}

// An answer that is under way, or whose size is remembered, cannot keep its promise.
void FileWorld::cut_a_file() {
  const std::size_t file = random_.between(1, sizes.size() - 1);
  rig_.kernel.file_bytes()[file] /= 2;
  cut_[file] = true;
  for (auto& client : clients_)
    for (const Request& request : client->requests)
      client->disturbed = client->disturbed || request.file == file;
}

void FileWorld::heal() {
  while (clients_.size() < plan_.connections) open_connection();
  healed_ = true;
  rig_.kernel.conditions().one_in = 0;
  for (auto& client : clients_) {
    client->stalled = false;
    client->piece = 4096;
  }
}

void FileWorld::at_rest() {
  collect_records();
  for (std::size_t i = 0; i < clients_.size(); ++i)
    if (!clients_[i]->recorded)
      violated("when the faults are healed, everything ends", static_cast<int>(i),
               "the loop sleeps for ever and this client is still there");
  stopping_ = true;
  rig_.forwarder.request_stop();
}

}  // namespace penstock::simulation
