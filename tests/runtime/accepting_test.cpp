#include "runtime/accepting.hpp"

#include <string>
#include <utility>
#include <vector>

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
  void emptied(std::size_t) override { asked += "emptied "; }

  std::string since() { return std::exchange(asked, {}); }
};

struct OneSocket {
  os::Wakeup bell;
  Admission admission{1000, {&bell}};
  Notes hands;
  Accepting accepting{0, 1, admission, hands};
};

}  // namespace

TEST_CASE("an acceptor takes whoever waits, wakes forwarders once and waits again", "[runtime]") {
  OneSocket one;
  one.hands.clients = 2;
  one.hands.descriptors = one.hands.ring_room = 10;
  one.accepting.start();
  one.accepting.arrived(0);
  CHECK(one.hands.asked == "await take hand-on take hand-on take wake await ");
  CHECK(one.admission.active() == 2);
  CHECK_FALSE(one.admission.paused());
}

TEST_CASE("after a batch the other doors have their turn", "[runtime]") {
  OneSocket one;
  one.hands.clients = one.hands.descriptors = one.hands.ring_room = base::accept_batch_max + 1;
  one.accepting.arrived(0);
  CHECK(one.hands.clients == 1);
  CHECK(one.hands.asked.ends_with("hand-on wake await "));
}

TEST_CASE("without a descriptor an acceptor waits for the timer or its bell, not for clients",
          "[runtime]") {
  OneSocket one;
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
  OneSocket one;
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
  OneSocket one;
  one.hands.clients = one.hands.ring_room = 2;
  one.hands.descriptors = 1;
  one.accepting.refuse_new(0);
  one.accepting.empty(0);
  CHECK(one.hands.since() == "turn-away take hand-on take timer wake ");
  one.hands.descriptors = 2;
  one.accepting.resume();
  CHECK(one.hands.since() == "wake no-timer take hand-on take wake close emptied ");
}

using State = Accepting::State;

TEST_CASE("each listening socket ends for itself: refusing, emptying, closed", "[runtime]") {
  OneSocket one;
  Accepting two{0, 2, one.admission, one.hands};
  const auto states = [&two] { return std::vector{two.state(0), two.state(1)}; };
  one.hands.clients = one.hands.ring_room = 1;
  two.refuse_new(0);
  CHECK(states() == std::vector{State::refusing_new, State::accepting});
  two.empty(0);
  CHECK(states() == std::vector{State::emptying, State::accepting});
  CHECK(one.hands.since() == "turn-away take timer wake ");
  two.refuse_new(1);
  one.hands.descriptors = 1;
  two.resume();
  CHECK(one.hands.since() == "turn-away wake no-timer take hand-on take timer wake ");
  CHECK(states() == std::vector{State::emptying, State::refusing_new});
  one.hands.descriptors = 1;
  two.resume();
  CHECK(one.hands.since() == "wake no-timer take wake close emptied take wake await ");
  CHECK(states() == std::vector{State::closed, State::refusing_new});
  two.empty(1);
  CHECK(one.hands.since() == "take wake close emptied ");
  CHECK(states() == std::vector{State::closed, State::closed});
}

TEST_CASE("a socket that is to be emptied during a pause waits for its end", "[runtime]") {
  OneSocket one;
  one.accepting.arrived(0);
  one.accepting.refuse_new(0);
  one.accepting.empty(0);
  CHECK(one.hands.since() == "take timer wake turn-away ");
  CHECK(one.accepting.state(0) == State::emptying);
  one.hands.descriptors = 1;
  one.accepting.resume();
  CHECK(one.hands.since() == "wake no-timer take wake close emptied ");
}

TEST_CASE("only who refuses newcomers is emptied, and what is closed is left alone", "[runtime]") {
  OneSocket one;
  one.accepting.empty(0);
  CHECK(one.accepting.state(0) == State::accepting);
  one.accepting.close(0);
  CHECK(one.hands.since() == "close ");
  one.accepting.close(0);
  one.accepting.refuse_new(0);
  one.accepting.empty(0);
  one.accepting.arrived(0);
  CHECK(one.hands.since().empty());
  CHECK(one.accepting.state(0) == State::closed);
}

}  // namespace penstock::runtime
