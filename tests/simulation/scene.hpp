#pragma once
// A story that is told to one forwarder in the simulated kernel: who connects, what endpoints
// answer, what is sent and how time passes; behind each sentence stands what everybody sees.
//
//   Scene scene{{.attempts = 3}};
//   scene.endpoint().answers = {Answer::refuses, Answer::accepts};
//   Connection& connection = scene.connects();
//   scene.passes(100ms);
//   connection.client.sends("question");
//   REQUIRE(connection.server.received == "question");
//
// Time     is virtual, and calls take none of it: what happens is exact to the millisecond.
// Thread   the story's is the test's. It and the forwarder take turns: the forwarder runs until it
//          sleeps beyond the time to which the story lets time pass, then the story goes on.
// Limits   `connections_max` connections. Their ids are such that neither the pauses between
//          attempts nor max_lifetime have a jitter.
// Errors   a call that no kernel would answer, or something not given back at the end: abort().

#include <array>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "session/options.hpp"
#include "session/record.hpp"
#include "simulation/kernel.hpp"
#include "simulation/outside.hpp"
#include "upstream/live_record.hpp"
#include "upstream/spec.hpp"

namespace penstock::runtime {
struct Command;
}

namespace penstock::upstream {
class Upstream;
}

namespace penstock::simulation {

class Rig;
class Scene;

// What an endpoint, or the way to it, says to an attempt to connect.
enum class Answer : std::uint8_t { accepts, refuses, keeps_silent, has_no_route, has_a_full_queue };

struct Endpoint {
  std::vector<Answer> answers{Answer::accepts};  // one after another; the last one stays
  std::vector<base::Duration> asked;             // when, since the scene began
};

// The machine at the other end of one of the proxy's sockets. It reads at once, unless told not to.
class Peer {
 public:
  Peer(Scene& scene, int connection, unsigned side) noexcept
      : scene_{scene}, connection_{connection}, side_{side} {}

  void accepts();  // after it had kept silent
  void sends(std::string_view text);
  void finishes();
  void resets();
  void stops_reading() { reads_ = false; }
  void reads_on();
  // What it has sent and the proxy has not read.
  std::uint64_t held_back() const { return socket_->unread(); }

  std::string received;
  bool got_fin = false;
  bool got_reset = false;

 private:
  friend class Scene;
  void take();

  Scene& scene_;
  const int connection_;
  const unsigned side_;
  std::shared_ptr<Socket> socket_;  // of the last attempt
  std::string sent_;
  std::string in_flight_;  // sent to it, and not taken
  bool reads_ = true;
};

struct Connection {
  Connection(Scene& scene, int number) noexcept
      : client{scene, number, 0}, server{scene, number, 1} {}
  bool ended(session::CloseReason reason) const { return record && record->reason == reason; }
  base::Duration lasted() const { return record.value().duration; }

  Peer client;
  Peer server;
  std::optional<session::Record> record;  // once it has ended
  std::uint64_t token = ~std::uint64_t{0};
};

struct Setting {
  std::size_t endpoints = 1;  // the first one that can take a connection gets it
  bool unix_sockets = false;
  std::uint32_t endpoint_places = 0;  // max_connections of each; 0 = no limit
  std::uint32_t upstream_places = 0;  // likewise, of all together
  int ready = 0;                      // sockets kept connected to each
  base::Duration connect_timeout = std::chrono::seconds{2};
  int attempts = 3;
  upstream::QueueOptions queue{};
  session::Timeouts timeouts{};
};

class Scene final : public Outside {
 public:
  static constexpr std::size_t connections_max = 4;

  explicit Scene(const Setting& setting = {});
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;
  ~Scene() override;

  // --- the story ---
  Endpoint& endpoint(std::size_t index = 0) { return endpoints_.at(index); }
  const upstream::LiveRecord& live(std::uint16_t index = 0) const;
  std::size_t queued() const;
  upstream::Upstream& upstream();
  // What a connection shares with those of all forwarders, as it lies in memory: the places of the
  // process, its listener, its upstream, and its endpoint.
  std::vector<std::span<const std::byte>> shared() const;
  Connection& connects();
  void passes(base::Duration time);
  void drains(base::Duration timeout);
  void cuts();
  void pings();  // control does, as it does once a second
  void says(upstream::Override said, std::uint16_t endpoint = 0);  // an operator, of an endpoint
  // The other ends of the sockets that are kept ready, the oldest first.
  std::vector<Peer> ready();

  // --- what the kernel asks and tells ---
  bool act() override { return false; }
  void act_now_and_then() override {}
  void at_rest() override;
  bool healed() const noexcept override { return true; }
  void collect_records() override;
  base::Instant next_ping() const noexcept override { return until_; }
  void ping() override;
  void registered(const std::shared_ptr<Socket>& socket, std::uint64_t token) override;
  void dialled(const std::shared_ptr<Socket>& socket, const os::SocketAddress&) override;
  void fill(std::span<std::byte> into, int connection, unsigned side,
            std::uint64_t offset) override;
  void sends(const Socket& target, std::span<const std::byte> bytes) override;
  void finishes(const Socket& target) override;
  void resets(const Socket& target) override;
  void waits() override;
  int error_at_once(const os::SocketAddress& address) override;

 private:
  friend class Peer;
  Peer& peer(const Socket& socket);
  void wait_for_turn(std::unique_lock<std::mutex>& lock, bool storys);
  void begin_attempt(const std::shared_ptr<Socket>& socket, std::uint64_t token);
  void obeys(const runtime::Command& command);

  Random random_{1};
  std::vector<Endpoint> endpoints_;
  std::deque<Connection> connections_;
  std::vector<std::shared_ptr<Socket>> dialled_;
  Answer answer_ = Answer::accepts;  // to the attempt that is under way
  base::Instant until_;              // the story lets time pass
  std::unique_ptr<Rig> rig_;

  std::mutex mutex_;
  std::condition_variable turn_has_changed_;
  bool is_storys_turn_ = false;
};

}  // namespace penstock::simulation
