#include "runtime/inbox.hpp"

#include <memory_resource>
#include <vector>

#include "base/limits.hpp"
#include "catch.hpp"

namespace penstock::runtime {

namespace {

struct TwoAcceptors {
  os::Poller poller = *os::Poller::create();
  Inbox inbox{2, poller, *std::pmr::new_delete_resource()};

  bool offer(std::size_t sender, std::uint64_t id) {
    session::Arrival arrival;
    arrival.id = id;
    return inbox.offer(sender, arrival);
  }
  std::vector<std::uint64_t> arrivals() {
    std::vector<std::uint64_t> ids;
    inbox.take_arrivals([&](const session::Arrival& arrival) { ids.push_back(arrival.id); });
    return ids;
  }
  // Would never end, were it not for what lies there.
  void wait() { inbox.wait(base::Duration::max()); }
};

}  // namespace

TEST_CASE("a forwarder does not fall asleep over what has come in", "[runtime]") {
  TwoAcceptors two;
  CHECK(two.inbox.is_empty());
  SECTION("an arrival") {
    REQUIRE(two.offer(1, 7));
    two.wait();
    CHECK(two.arrivals() == std::vector<std::uint64_t>{7});
  }
  SECTION("a command") {
    REQUIRE(two.inbox.command({.number = 5}));
    two.wait();
    Command command;
    REQUIRE(two.inbox.take(command));
    CHECK(command.number == 5);
    CHECK_FALSE(two.inbox.take(command));
  }
  SECTION("a place for somebody who is queued") {
    two.inbox.wake_queued();
    two.inbox.wake_queued();
    two.wait();
    CHECK(two.inbox.take_wake_queued());
    CHECK_FALSE(two.inbox.take_wake_queued());
  }
  CHECK(two.inbox.is_empty());
}

TEST_CASE("a stop that was requested stays so, and ends every sleep", "[runtime]") {
  TwoAcceptors two;
  CHECK_FALSE(two.inbox.stop_is_requested());
  two.inbox.request_stop();
  two.wait();
  two.wait();
  CHECK(two.inbox.stop_is_requested());
}

TEST_CASE("what finds no room in a ring stays the sender's, and does not keep others out",
          "[runtime]") {
  TwoAcceptors two;
  for (std::size_t i = 0; i < base::handoff_ring_slots; ++i) REQUIRE(two.offer(0, i));
  CHECK_FALSE(two.offer(0, 1));
  CHECK(two.offer(1, 1));
  std::size_t commands = 0;
  while (two.inbox.command({})) ++commands;
  CHECK(commands == 64);
  CHECK(two.arrivals().size() == base::handoff_ring_slots + 1);
  CHECK(two.offer(0, 1));
}

}  // namespace penstock::runtime
