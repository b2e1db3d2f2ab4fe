#include "runtime/run_queue.hpp"

#include <string>
#include <vector>

#include "base/limits.hpp"
#include "catch.hpp"

namespace penstock::runtime {

namespace {

constexpr base::Instant start{std::chrono::hours{1}};

class NamedSession final : public session::Session {
 public:
  explicit NamedSession(char name, bool is_bulk = false) : Session{{}}, name_{name} {
    is_bulk_ = is_bulk;
  }
  char name() const noexcept { return name_; }

  session::Next start(session::Context&) noexcept override { return session::Next::wait; }
  void note(unsigned, const os::Event&, session::Context&) noexcept override {}
  session::Next run(session::Context&) noexcept override { return session::Next::wait; }
  session::Next expired(session::Context&) noexcept override { return session::Next::wait; }
  void begin_drain(base::Instant, session::Context&) noexcept override {}
  void cut(session::Context&) noexcept override {}

 private:
  const char name_;
};

// Mice a, b, c and elephants X, Y, Z, and the names of those who ran.
struct Rounds {
  NamedSession a{'a'}, b{'b'}, c{'c'}, x{'X', true}, y{'Y', true}, z{'Z', true};
  RunQueue queue;
  base::Instant now = start;

  static char name_of(session::Session* session) {
    return static_cast<NamedSession*>(session)->name();
  }
  std::string ready() {
    std::string ran;
    queue.begin_round();
    while (session::Session* session = queue.next_ready()) ran += name_of(session);
    return ran;
  }
  // Each takes that long.
  std::string bulk(base::Duration each = base::Duration{0}) {
    std::string ran;
    if (!queue.bulk_is_due(now)) return ran;
    queue.begin_bulk_turn(now);
    while (session::Session* session = queue.next_bulk(now)) {
      ran += name_of(session);
      now += each;
    }
    return ran;
  }
};

}  // namespace

TEST_CASE("mice run before elephants, each in the order in which something came for it",
          "[runtime]") {
  Rounds rounds;
  for (auto* session : {&rounds.x, &rounds.b, &rounds.y, &rounds.a}) rounds.queue.enqueue(*session);
  CHECK(rounds.queue.has_work());
  CHECK(rounds.ready() == "ba");
  CHECK(rounds.bulk() == "XY");
  CHECK_FALSE(rounds.queue.has_work());
}

TEST_CASE("while mice run an elephant waits, at most for its patience", "[runtime]") {
  Rounds rounds;
  rounds.queue.enqueue(rounds.x);
  CHECK(rounds.bulk() == "X");
  rounds.queue.add_hungry(rounds.x);
  rounds.queue.enqueue(rounds.a);
  CHECK(rounds.ready() == "a");
  rounds.now += base::bulk_patience - base::Duration{1};
  CHECK(rounds.bulk().empty());
  CHECK(rounds.queue.has_work());
  rounds.now += base::Duration{1};
  CHECK(rounds.bulk() == "X");
}

TEST_CASE("an elephant runs at once where no mouse did", "[runtime]") {
  Rounds rounds;
  rounds.queue.enqueue(rounds.x);
  CHECK(rounds.bulk() == "X");
  rounds.queue.add_hungry(rounds.x);
  CHECK(rounds.ready().empty());
  CHECK(rounds.bulk() == "X");
}

TEST_CASE("the turn of bulk ends with its time, and who had none is first in the next",
          "[runtime]") {
  Rounds rounds;
  for (auto* session : {&rounds.x, &rounds.y, &rounds.z}) rounds.queue.enqueue(*session);
  CHECK(rounds.bulk(base::bulk_turn / 2) == "XY");
  rounds.queue.add_hungry(rounds.x);
  CHECK(rounds.ready().empty());
  CHECK(rounds.bulk() == "ZX");
}

TEST_CASE("an elephant that is hungry again waits for the next turn", "[runtime]") {
  Rounds rounds;
  rounds.queue.enqueue(rounds.x);
  rounds.queue.enqueue(rounds.y);
  rounds.queue.begin_bulk_turn(start);
  REQUIRE(rounds.queue.next_bulk(start) == &rounds.x);
  rounds.queue.add_hungry(rounds.x);
  REQUIRE(rounds.queue.next_bulk(start) == &rounds.y);
  CHECK(rounds.queue.next_bulk(start) == nullptr);
  CHECK(rounds.bulk() == "X");
}

TEST_CASE("who waits for a held buffer runs when there is one, behind those who are ready",
          "[runtime]") {
  Rounds rounds;
  rounds.queue.add_starved(rounds.a);
  rounds.queue.add_starved(rounds.x);
  rounds.queue.enqueue(rounds.b);
  CHECK(rounds.ready() == "b");
  CHECK(rounds.queue.has_starved());
  CHECK_FALSE(rounds.queue.has_work());
  rounds.queue.enqueue(rounds.c);
  rounds.queue.release_starved();
  CHECK(rounds.ready() == "caX");
  CHECK_FALSE(rounds.queue.has_starved());
}

TEST_CASE("who waits for a held buffer runs when something comes for it", "[runtime]") {
  Rounds rounds;
  rounds.queue.add_starved(rounds.a);
  rounds.queue.add_starved(rounds.b);
  rounds.queue.enqueue(rounds.a);
  CHECK(rounds.ready() == "a");
  CHECK(RunQueue::holds(rounds.b));
}

TEST_CASE("who stands in a list keeps its place, whatever else comes for it", "[runtime]") {
  Rounds rounds;
  rounds.queue.enqueue(rounds.a);
  rounds.queue.enqueue(rounds.b);
  rounds.queue.enqueue(rounds.a);
  rounds.queue.add_hungry(rounds.a);
  rounds.queue.add_starved(rounds.a);
  CHECK_FALSE(rounds.queue.has_starved());
  CHECK(rounds.ready() == "ab");
  CHECK(rounds.bulk().empty());
}

TEST_CASE("a session that ends leaves its list, also in the turn of bulk", "[runtime]") {
  Rounds rounds;
  {
    NamedSession mouse{'m'}, elephant{'E', true}, waits{'w'};
    rounds.queue.enqueue(mouse);
    rounds.queue.enqueue(rounds.x);
    rounds.queue.enqueue(elephant);
    rounds.queue.add_starved(waits);
    rounds.queue.begin_bulk_turn(start);
    REQUIRE(rounds.queue.next_bulk(start) == &rounds.x);
  }
  CHECK(rounds.queue.next_bulk(start) == nullptr);
  CHECK_FALSE(rounds.queue.has_work());
  CHECK_FALSE(rounds.queue.has_starved());
}

}  // namespace penstock::runtime
