#include "upstream/wait_queue.hpp"

#include <array>
#include <condition_variable>
#include <memory>
#include <thread>

#include "upstream/fixture.hpp"

using namespace penstock;
using namespace penstock::testing;
using upstream::Balance;
using upstream::Pick;
using upstream::WaitQueue;

namespace {

struct Calls : upstream::QueueBell {
  void ring(std::uint16_t forwarder) noexcept override {
    rung += static_cast<char>('0' + forwarder);
  }
  std::string take() { return std::exchange(rung, {}); }
  std::string rung;
};

struct Line {
  explicit Line(std::size_t size) : queue{size} { queue.set_bell(calls); }
  Calls calls;
  WaitQueue queue;
};

}  // namespace

TEST_CASE("tickets are given in the order of arrival, across forwarders", "[upstream]") {
  Line line{10};
  const auto one = *line.queue.join(2, 100);
  const auto two = *line.queue.join(0, 200);
  const auto three = *line.queue.join(2, 300);
  REQUIRE(one != 0);
  REQUIRE(one < two);
  REQUIRE(two < three);
  REQUIRE(line.queue.length() == 3);
  REQUIRE(line.queue.is_first(one));
  REQUIRE_FALSE(line.queue.is_first(two));
  REQUIRE(line.queue.first_of(2) == 100U);
  REQUIRE_FALSE(line.queue.first_of(0));
  REQUIRE(line.calls.take().empty());

  line.queue.leave(one);
  REQUIRE(line.calls.take() == "0");
  REQUIRE(line.queue.is_first(two));
  REQUIRE(line.queue.first_of(0) == 200U);
  REQUIRE_FALSE(line.queue.first_of(2));
  line.queue.leave(two);
  REQUIRE(line.calls.take() == "2");
  REQUIRE(line.queue.first_of(2) == 300U);
  line.queue.leave(three);
  REQUIRE(line.calls.take().empty());
  REQUIRE(line.queue.length() == 0);
  REQUIRE_FALSE(line.queue.first_of(2));
}

TEST_CASE("a full line takes nobody, and one who leaves makes room at its end", "[upstream]") {
  Line line{2};
  const auto one = *line.queue.join(0, 1);
  const auto two = *line.queue.join(0, 2);
  REQUIRE_FALSE(line.queue.join(0, 3));
  REQUIRE(line.queue.length() == 2);
  line.queue.leave(one);
  REQUIRE(line.queue.join(0, 4));
  REQUIRE(line.queue.is_first(two));
  REQUIRE_FALSE(line.queue.join(0, 5));
}

TEST_CASE("a line of size 0 takes nobody", "[upstream]") {
  Line line{0};
  REQUIRE_FALSE(line.queue.join(0, 1));
  REQUIRE(line.queue.length() == 0);
}

TEST_CASE("who gives up in the middle changes nothing for those before and behind", "[upstream]") {
  Line line{10};
  const auto one = *line.queue.join(1, 1);
  const auto two = *line.queue.join(2, 2);
  const auto three = *line.queue.join(3, 3);
  line.queue.leave(two);
  REQUIRE(line.queue.is_first(one));
  REQUIRE(line.queue.length() == 2);
  line.calls.take();
  line.queue.leave(one);
  REQUIRE(line.calls.take() == "3");
  REQUIRE(line.queue.is_first(three));
}

TEST_CASE("the bell rings for the forwarder of the first, and for nobody where nobody waits",
          "[upstream]") {
  Line line{10};
  line.queue.call_first();
  REQUIRE(line.calls.take().empty());
  const auto one = *line.queue.join(4, 1);
  line.queue.join(5, 2);
  line.queue.call_first();
  REQUIRE(line.calls.take() == "4");
  line.queue.leave(one);
  REQUIRE(line.calls.take() == "5");
}

TEST_CASE("a newcomer gets no place while somebody waits, though one is free", "[upstream]") {
  auto spec = web(Balance::round_robin, {endpoint("a", 1, 0, 1)});
  spec.queue.size = 10;
  Calls calls;
  Fixture fixture{spec};
  fixture.registry.set_bell(calls);
  REQUIRE(fixture.take() == "a");
  REQUIRE(fixture.take() == "full");
  const auto ticket = *fixture.upstream.queue().join(7, 1);
  REQUIRE(calls.take().empty());
  fixture.give_back(0);
  REQUIRE(calls.take() == "7");
  REQUIRE(fixture.take() == "full");
  const auto taken = fixture.upstream.take(0, {}, true, fixture.now);
  REQUIRE(taken.lease.endpoint() == &fixture.live(0));
  fixture.upstream.queue().leave(ticket);
  REQUIRE(calls.take().empty());
}

TEST_CASE("who waits is called when endpoints come, and hears that they have gone", "[upstream]") {
  auto spec = web(Balance::round_robin, {endpoint("a", 1, 0, 1), endpoint("b", 1, 0, 1)});
  spec.queue.size = 10;
  Calls calls;
  Fixture fixture{spec};
  fixture.registry.set_bell(calls);
  fixture.said(1, upstream::Health::down);
  fixture.take();
  fixture.upstream.queue().join(7, 1);
  fixture.said(1, upstream::Health::up);
  REQUIRE(calls.take() == "7");
  fixture.said(0, upstream::Health::down);
  fixture.said(1, upstream::Health::down);
  REQUIRE(calls.take() == "77");
  REQUIRE(fixture.upstream.take(0, {}, true, fixture.now).outcome == Pick::Outcome::nobody);
}

namespace {

// A thread that behaves like a forwarder: its sessions take places, wait in line, give up, give
// back; and with nothing to do it waits until its bell rings.
class Forwarder {
 public:
  static constexpr std::size_t sessions_count = 4;
  static constexpr int rounds = 2000;  // of each session

  Forwarder(std::uint16_t number, upstream::Upstream& upstream, std::atomic<std::uint64_t>& granted)
      : number_{number}, upstream_{upstream}, granted_{granted} {}

  void ring() {
    const std::lock_guard lock{mutex_};
    rung_ = true;
    wake_.notify_one();
  }

  void run() {
    while (!is_done() && !waited_too_long) {
      bool has_worked = take_calls();
      for (std::uint64_t i = 0; i < sessions_count; ++i) has_worked |= step(i);
      if (!has_worked) wait_for_bell();
    }
  }

  bool overtook = false;
  bool waited_too_long = false;
  int waits = 0;

 private:
  struct Session {
    upstream::Lease place;
    WaitQueue::Ticket ticket = 0;
    bool gives_up_when_called = false;  // its time ran out just then
    int rounds = 0;
  };

  bool is_done() const {
    for (const Session& session : sessions_)
      if (session.rounds < rounds || session.place.is_held() || session.ticket != 0) return false;
    return true;
  }

  // False where it can but wait.
  bool step(std::uint64_t number) {
    Session& session = sessions_[number];
    if (session.place.is_held()) {
      session.place = {};
      return true;
    }
    if (session.ticket != 0) return false;
    if (session.rounds == rounds) return false;
    ++session.rounds;
    session.place = upstream_.take(session.rounds, {}, false, beginning).lease;
    if (!session.place.is_held()) wait_in_line(number);
    return true;
  }

  void wait_in_line(std::uint64_t number) {
    const auto ticket = upstream_.queue().join(number_, number);
    if (!ticket) return;
    sessions_[number].ticket = *ticket;
    ++waits;
    called(number);
    sessions_[number].gives_up_when_called = waits % 5 == 0;
    if (sessions_[number].ticket != 0 && waits % 7 == 0) give_up(sessions_[number]);
  }

  bool take_calls() {
    {
      const std::lock_guard lock{mutex_};
      if (!std::exchange(rung_, false)) return false;
    }
    const auto first = upstream_.queue().first_of(number_);
    if (!first) return true;
    if (sessions_[*first].gives_up_when_called)
      give_up(sessions_[*first]);
    else
      called(*first);
    return true;
  }

  void give_up(Session& session) { upstream_.queue().leave(std::exchange(session.ticket, 0)); }

  void called(std::uint64_t number) {
    Session& session = sessions_[number];
    if (!upstream_.queue().is_first(session.ticket)) return;
    session.place = upstream_.take(session.rounds, {}, true, beginning).lease;
    if (!session.place.is_held()) return;
    // Only the first one gets here, so grants come one after another.
    overtook |= granted_.exchange(session.ticket) >= session.ticket;
    upstream_.queue().leave(std::exchange(session.ticket, 0));
  }

  void wait_for_bell() {
    std::unique_lock lock{mutex_};
    waited_too_long = !wake_.wait_for(lock, std::chrono::seconds{30}, [this] { return rung_; });
  }

  const std::uint16_t number_;
  upstream::Upstream& upstream_;
  std::atomic<std::uint64_t>& granted_;
  std::array<Session, sessions_count> sessions_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool rung_ = false;
};

struct Bells : upstream::QueueBell {
  void ring(std::uint16_t forwarder) noexcept override { forwarders[forwarder]->ring(); }
  std::array<std::unique_ptr<Forwarder>, 4> forwarders;
};

}  // namespace

// A lost wake-up leaves somebody asleep for ever, for nobody else rings.
TEST_CASE("nobody is left waiting, and places are granted in the order of the line", "[upstream]") {
  auto spec = web(Balance::round_robin, {endpoint("a"), endpoint("b")});
  spec.queue.size = 100;
  SECTION("where the upstream is full") {
    spec.max_connections = 1;
  }
  SECTION("where its endpoints are full") {
    for (auto& endpoint : spec.endpoints) endpoint.max_connections = 1;
  }
  SECTION("where either is full") {
    spec.max_connections = 2;
    for (auto& endpoint : spec.endpoints) endpoint.max_connections = 1;
  }
  SECTION("where the line is full as well") {
    spec.max_connections = 1;
    spec.queue.size = 3;
  }
  Fixture fixture{spec};
  Bells bells;
  std::atomic<std::uint64_t> granted{0};
  for (std::uint16_t i = 0; i < 4; ++i)
    bells.forwarders[i] = std::make_unique<Forwarder>(i, fixture.upstream, granted);
  fixture.registry.set_bell(bells);
  std::vector<std::thread> threads;
  for (auto& forwarder : bells.forwarders) threads.emplace_back([&] { forwarder->run(); });
  for (auto& thread : threads) thread.join();
  int waits = 0;
  for (const auto& forwarder : bells.forwarders) {
    REQUIRE_FALSE(forwarder->waited_too_long);
    REQUIRE_FALSE(forwarder->overtook);
    waits += forwarder->waits;
  }
  REQUIRE(waits > 0);
  REQUIRE(fixture.upstream.queue().length() == 0);
  REQUIRE(fixture.live(0).active == 0);
  REQUIRE(fixture.live(1).active == 0);
}
