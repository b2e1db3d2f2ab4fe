#include "runtime/accepting.hpp"

#include <string>
#include <utility>

#include "base/limits.hpp"
#include "catch.hpp"

namespace penstock::runtime {

namespace {

// Says what was asked of it, in order, and has as many clients, descriptors and room in a ring as
// it is given.
class Notes final : public Accepting::Hands {
 public:
  std::size_t clients = 0;
  std::size_t descriptors = 0;
  std::size_t ring_room = 0;
  std::string asked;

  Accepting::Taken take(std::size_t) override {
    asked += "take ";
    if (descriptors == 0) return Accepting::Taken::shortage;
    if (clients == 0) return Accepting::Taken::nobody;
    --clients;
    --descriptors;
    return Accepting::Taken::one;
  }
  bool hand_on() noexcept override {
    asked += "hand-on ";
    if (ring_room == 0) return false;
    --ring_room;
    return true;
  }
  void wake_forwarders() noexcept override { asked += "wake "; }
  void await(std::size_t) override { asked += "await "; }
  void start_timer(base::Duration) override { asked += "timer "; }
  void stop_timer() noexcept override { asked += "no-timer "; }
  void turn_away_newcomers(std::size_t) override { asked += "turn-away "; }
  void close(std::size_t) override { asked += "close "; }
  void emptied() override { asked += "emptied "; }

  std::string since() { return std::exchange(asked, {}); }
};

struct OneDoor {
  os::Wakeup bell;
  Admission admission{1000, {&bell}};
  Notes hands;
  Accepting accepting{0, 1, admission, hands};
};

}  // namespace

TEST_CASE("an acceptor takes whoever waits, wakes forwarders once and waits again", "[runtime]") {
  OneDoor one;
  one.hands.clients = 2;
  one.hands.descriptors = one.hands.ring_room = 10;
  one.accepting.start();
  one.accepting.arrived(0);
  CHECK(one.hands.asked == "await take hand-on take hand-on take wake await ");
  CHECK(one.admission.active() == 2);
  CHECK_FALSE(one.admission.paused());
}

TEST_CASE("after a batch the other doors have their turn", "[runtime]") {
  OneDoor one;
  one.hands.clients = one.hands.descriptors = one.hands.ring_room = base::accept_batch_max + 1;
  one.accepting.arrived(0);
  CHECK(one.hands.clients == 1);
  CHECK(one.hands.asked.ends_with("hand-on wake await "));
}

TEST_CASE("without a descriptor an acceptor waits for the timer or its bell, not for clients",
          "[runtime]") {
  OneDoor one;
  one.hands.clients = one.hands.ring_room = 1;
  one.accepting.arrived(0);
  CHECK(one.hands.since() == "take timer wake ");
  CHECK(one.admission.paused());
  CHECK(one.admission.active() == 0);
  one.hands.descriptors = 2;
  one.accepting.resume();
  CHECK(one.hands.since() == "wake no-timer take hand-on take wake await ");
  CHECK_FALSE(one.admission.paused());
}

TEST_CASE("who was accepted when every ring was full is handed on first", "[runtime]") {
  OneDoor one;
  one.hands.clients = one.hands.descriptors = 1;
  one.accepting.arrived(0);
  CHECK(one.hands.since() == "take hand-on timer wake ");
  one.accepting.resume();
  CHECK(one.hands.since() == "hand-on timer ");
  CHECK(one.admission.active() == 1);
  one.hands.ring_room = 1;
  one.accepting.resume();
  CHECK(one.hands.since() == "hand-on wake no-timer take timer wake ");
}

TEST_CASE("a door that stops is closed when its queue is empty, across a pause", "[runtime]") {
  OneDoor one;
  one.hands.clients = one.hands.ring_room = 2;
  one.hands.descriptors = 1;
  one.accepting.stop(0);
  one.accepting.empty_queues();
  CHECK(one.hands.since() == "turn-away take hand-on take timer wake ");
  one.hands.descriptors = 2;
  one.accepting.resume();
  CHECK(one.hands.since() == "wake no-timer take hand-on take wake close emptied ");
}

}  // namespace penstock::runtime
