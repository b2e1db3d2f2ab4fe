#include <algorithm>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "relay/crossing.hpp"

using namespace penstock;
using namespace penstock::testing;
using relay::Engine;
using relay::EnginePolicy;
using relay::HeldBuffer;
using relay::Outcome;
using relay::ZerocopyFlight;

namespace {

// A pool of buffers, and a flight that sends from them.
struct Sending {
  HeldBuffer& buffer_with(int sends) {
    REQUIRE(pool.available());
    HeldBuffer* const buffer = pool.take();
    for (int i = 0; i < sends; ++i) flight.sent(*buffer, 1);
    return *buffer;
  }
  void notice(std::uint32_t first, std::uint32_t last, const HeldBuffer* held = nullptr) {
    flight.take({.first = first, .last = last, .copied = false}, held, pool);
  }
  std::uint64_t leased() const { return counters.buffers_leased.value(); }

  relay::Counters counters;
  relay::BufferPool pool{64, 4096, *std::pmr::new_delete_resource(), counters};
  ZerocopyFlight flight;
};

std::uint64_t count(const Crossing& crossing, relay::ZerocopyFallback reason) {
  return crossing.workspace.counters().zerocopy_fallbacks[static_cast<std::size_t>(reason)].value();
}
std::uint64_t count(const Crossing& crossing, relay::Switch reason) {
  return crossing.workspace.counters().switches[static_cast<std::size_t>(reason)].value();
}

// Small chunks have small notices: everything goes without a copy.
relay::Options zerocopy_from(std::size_t bytes) {
  relay::Options options = relay_options(EnginePolicy::zerocopy);
  options.zerocopy_from_bytes = bytes;
  return options;
}

bool move(Crossing& crossing, const std::string& text) {
  send_all(crossing.sender(), text);
  const std::uint64_t before = crossing.direction.bytes();
  return await_fact([&] {
    crossing.run();
    return crossing.direction.bytes() == before + text.size();
  });
}

}  // namespace

TEST_CASE("a buffer is free when all of its sends have been noticed, in any order", "[relay]") {
  Sending sending;
  sending.buffer_with(3);  // 0 1 2
  sending.buffer_with(2);  // 3 4
  sending.buffer_with(1);  // 5
  CHECK(sending.leased() == 3);
  sending.notice(1, 3);
  CHECK(sending.leased() == 3);
  sending.notice(5, 5);
  CHECK(sending.leased() == 2);
  sending.notice(4, 4);
  CHECK(sending.leased() == 1);
  sending.notice(0, 0);
  CHECK(sending.leased() == 0);
}

TEST_CASE("one notice may free many buffers", "[relay]") {
  Sending sending;
  for (std::size_t i = 0; i < base::zerocopy_in_flight_max; ++i) sending.buffer_with(2);
  CHECK(sending.flight.full());
  sending.notice(0, 2 * base::zerocopy_in_flight_max - 1);
  CHECK(sending.leased() == 0);
  CHECK_FALSE(sending.flight.full());
}

TEST_CASE("a buffer that still holds bytes is not given back by a notice", "[relay]") {
  Sending sending;
  HeldBuffer& held = sending.buffer_with(1);
  sending.notice(0, 0, &held);
  CHECK(sending.leased() == 1);
  CHECK(sending.flight.has(held));
  sending.flight.sent(held, 1);
  sending.notice(1, 1);
  CHECK(sending.leased() == 0);
}

TEST_CASE("who ends with sends under way gives their pages away", "[relay]") {
  Sending sending;
  sending.buffer_with(1);
  sending.buffer_with(1);
  sending.notice(0, 0);
  sending.flight.abandon(sending.pool);
  CHECK(sending.leased() == 0);
  CHECK(sending.counters.zerocopy_abandoned.value() == 1);
}

TEST_CASE("what reaches the threshold is sent without a copy, what does not is copied", "[relay]") {
  Crossing crossing{zerocopy_from(10'000)};
  REQUIRE(move(crossing, pattern(20'000)));  // finds out that it is large
  REQUIRE(move(crossing, pattern(20'000)));
  CHECK(crossing.direction.bytes_by(Engine::zerocopy) == 20'000);
  REQUIRE(move(crossing, pattern(9'999)));
  CHECK(crossing.direction.bytes_by(Engine::zerocopy) == 20'000);
  CHECK(read_exactly(crossing.reader(), 49'999).size() == 49'999);
  CHECK(await_fact([&] {
    crossing.run();
    return crossing.workspace.counters().zerocopy_sends.value() == 1 &&
           crossing.workspace.counters().buffers_leased.value() == 0;
  }));
}

TEST_CASE("several small sends in a row bring copying back", "[relay]") {
  Crossing crossing{zerocopy_from(10'000)};
  REQUIRE(move(crossing, pattern(20'000)));
  for (int i = 0; i < base::copy_after_small_sends; ++i) REQUIRE(move(crossing, "small"));
  CHECK(count(crossing, relay::Switch::large_sends) == 1);
  CHECK(count(crossing, relay::Switch::small_sends) == 1);
}

TEST_CASE("a reader that takes nothing leaves some buffers in flight and no more", "[relay]") {
  relay::Options options = zerocopy_from(1);
  options.buffers_max = 64;
  Crossing crossing{options};
  const std::string text = pattern(8'000'000);
  std::thread sender{[&] {
    send_all(crossing.sender(), text);
    os::finish_sending(crossing.sender());
  }};
  CHECK(crossing.run_until(Outcome::target_full));
  CHECK(crossing.workspace.counters().buffers_leased.value() <= base::zerocopy_in_flight_max + 1);
  std::string arrived;
  std::thread reader{[&] { arrived = read_to_end(crossing.reader()); }};
  CHECK(crossing.run_until(Outcome::finished));
  sender.join();
  reader.join();
  CHECK(arrived == text);
}

TEST_CASE("half of the buffers are left to those who copy", "[relay]") {
  relay::Options options = zerocopy_from(1);
  options.buffers_max = 4;
  Crossing crossing{options};
  REQUIRE(move(crossing, pattern(100)));
  for (int i = 0; i < 20; ++i) REQUIRE(move(crossing, pattern(1000)));
  CHECK(crossing.workspace.counters().buffers_leased.value() <= 3);
  CHECK(crossing.workspace.buffers().available());
  CHECK(read_exactly(crossing.reader(), 20'100).size() == 20'100);
}

TEST_CASE("a connection that ends before its notices sends what it sent", "[relay]") {
  const std::string text = pattern(60'000);
  Crossing crossing{zerocopy_from(1)};
  REQUIRE(move(crossing, "x"));
  for (int i = 0; i < 5; ++i) REQUIRE(move(crossing, text));
  crossing.direction.discard(crossing.source, crossing.target, crossing.workspace);
  CHECK(crossing.workspace.counters().buffers_leased.value() == 0);
  // Whoever takes a buffer now writes over what was in it.
  std::vector<HeldBuffer*> taken;
  for (int i = 0; i < 40; ++i) {
    REQUIRE(crossing.workspace.buffers().available());
    taken.push_back(crossing.workspace.buffers().take());
    const auto memory = taken.back()->memory();
    std::fill(memory.begin(), memory.end(), std::byte{'!'});
  }
  std::string expected = "x";
  for (int i = 0; i < 5; ++i) expected += text;
  CHECK(read_exactly(crossing.reader(), expected.size()) == expected);
  for (HeldBuffer* const buffer : taken) crossing.workspace.buffers().give_back(buffer);
}

TEST_CASE("without a pipe the adaptive policy tries it, and leaves a path that copies", "[relay]") {
  relay::Options options = relay_options(EnginePolicy::adaptive);
  options.pipes_max = 0;
  Crossing crossing{options};
  const std::string text = pattern(50'000);
  std::size_t sent = 0;
  // The first is copied, the second goes without a copy; then its notice says what loopback does.
  REQUIRE(await_fact([&] {
    sent += text.size();
    return move(crossing, text) && read_exactly(crossing.reader(), text.size()) == text &&
           count(crossing, relay::Switch::kernel_copied) == 1;
  }));
  CHECK(count(crossing, relay::Switch::no_pipe) == 1);
  const std::uint64_t by_zerocopy = crossing.direction.bytes_by(Engine::zerocopy);
  CHECK(by_zerocopy > 0);
  REQUIRE(move(crossing, text));
  CHECK(crossing.direction.bytes_by(Engine::zerocopy) == by_zerocopy);
  CHECK(crossing.direction.bytes() == sent + text.size());
}

TEST_CASE("who finds neither a pipe nor a place to send without a copy has not switched",
          "[relay]") {
  relay::Options options = relay_options(EnginePolicy::adaptive);
  options.pipes_max = 0;
  Crossing crossing{options};
  std::vector<relay::ZerocopyFlight*> flights;
  while (relay::ZerocopyFlight* const flight = crossing.workspace.lease_flight())
    flights.push_back(flight);
  const std::string text = pattern(50'000);
  for (int i = 0; i < 5; ++i) {
    REQUIRE(move(crossing, text));
    REQUIRE(read_exactly(crossing.reader(), text.size()) == text);
  }
  CHECK(count(crossing, relay::Switch::no_pipe) == 0);
  CHECK(crossing.direction.bytes_by(Engine::copy) == 5 * text.size());
  for (relay::ZerocopyFlight* const flight : flights) crossing.workspace.give_back(flight);
  REQUIRE(move(crossing, text));
  CHECK(count(crossing, relay::Switch::no_pipe) == 1);
}

TEST_CASE("a verdict on a path is forgotten after a while, and holds for its host only",
          "[relay]") {
  relay::ZerocopyPaths paths;
  const base::Instant now{std::chrono::hours{1}};
  const auto here = relay::path_towards(loopback_v4().ip());
  os::IpEndpoint other = loopback_v4().ip();
  other.bytes[0] = 10;
  const auto there = relay::path_towards(other);
  REQUIRE(here != there);
  CHECK_FALSE(paths.copies(here, now));
  paths.note_copied(here, now);
  CHECK(paths.copies(here, now));
  CHECK_FALSE(paths.copies(there, now));
  CHECK_FALSE(paths.copies(here, now + base::zerocopy_retry_after));
}

TEST_CASE("a unix socket, which takes no MSG_ZEROCOPY, gets copies", "[relay]") {
  const TemporaryDirectory folder;
  Crossing crossing{zerocopy_from(1)};
  crossing.outgoing = connect_pair(os::SocketAddress::unix_path(folder / "socket"));
  crossing.target.socket = crossing.outgoing.client.get();
  const std::string text = pattern(30'000);
  REQUIRE(move(crossing, text));
  REQUIRE(move(crossing, text));
  CHECK(read_exactly(crossing.reader(), 60'000) == text + text);
  CHECK(crossing.direction.bytes_by(Engine::copy) == 60'000);
  CHECK(count(crossing, relay::ZerocopyFallback::refused) == 1);
}
