#include "relay/direction.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "relay/crossing.hpp"

using namespace penstock;
using namespace penstock::testing;
using relay::Engine;
using relay::EnginePolicy;
using relay::Outcome;

namespace {

const std::vector every_engine{EnginePolicy::adaptive, EnginePolicy::splice, EnginePolicy::copy,
                               EnginePolicy::zerocopy, EnginePolicy::uring};

os::SocketOptions small_buffers() {
  os::SocketOptions options;
  options.send_buffer = 8 * 1024;
  options.receive_buffer = 8 * 1024;
  return options;
}

// Moves `text` with a sender and a reader of their own threads; returns what arrived.
std::string carry(Crossing& crossing, const std::string& text) {
  std::string arrived;
  std::thread sender{[&] {
    send_all(crossing.sender(), text);
    os::finish_sending(crossing.sender());
  }};
  std::thread reader{[&] { arrived = read_to_end(crossing.reader()); }};
  const bool finished = crossing.run_until(Outcome::finished);
  sender.join();
  reader.join();
  CHECK(finished);
  return arrived;
}

}  // namespace

TEST_CASE("bytes and FIN pass through, whatever the engine", "[relay]") {
  const auto engine = GENERATE(from_range(every_engine));
  const auto size =
      GENERATE(std::size_t{0}, std::size_t{1}, std::size_t{65'536}, std::size_t{5'000'001});
  Crossing crossing{engine};
  const std::string text = pattern(size);
  REQUIRE(carry(crossing, text) == text);
  REQUIRE(crossing.direction.bytes() == size);
  REQUIRE_FALSE(crossing.direction.lost_bytes());
  REQUIRE(crossing.workspace.counters().pipes_leased.value() == 0);
  // Those of sends without a copy come back with their notices.
  REQUIRE(await_fact([&] {
    crossing.direction.take_notices(crossing.target, crossing.workspace);
    return crossing.workspace.counters().buffers_leased.value() == 0;
  }));
}

TEST_CASE("the copy engine never splices and the splice engine hardly copies", "[relay]") {
  const std::string text = pattern(1'000'000);
  Crossing copying{EnginePolicy::copy};
  carry(copying, text);
  REQUIRE(copying.direction.bytes_by(Engine::splice) == 0);
  Crossing splicing{EnginePolicy::splice};
  carry(splicing, text);
  REQUIRE(splicing.direction.bytes_by(Engine::splice) > text.size() / 2);
}

TEST_CASE("a large read makes the adaptive engine splice and small ones bring it back", "[relay]") {
  Crossing crossing{EnginePolicy::adaptive};
  send_all(crossing.sender(), pattern(60'000));
  REQUIRE(await_events(crossing.source.socket, POLLIN));
  REQUIRE(await_fact([&] {
    crossing.run();
    return crossing.direction.bytes() == 60'000;
  }));
  const auto& counters = crossing.workspace.counters();
  const auto switched = [&](relay::Switch reason) {
    return counters.switches[static_cast<std::size_t>(reason)].value();
  };
  // One read of the whole is enough; where the kernel gave it in parts, more bytes follow.
  for (int i = 0; i < 20 && switched(relay::Switch::large_reads) == 0; ++i) {
    send_all(crossing.sender(), pattern(200'000));
    crossing.run_until(Outcome::source_empty);
    read_exactly(crossing.reader(), 60'000);
  }
  REQUIRE(switched(relay::Switch::large_reads) == 1);
  for (std::uint64_t i = 0; i < 40 && switched(relay::Switch::small_chunks) == 0; ++i) {
    const std::uint64_t before = crossing.direction.bytes();
    send_all(crossing.sender(), "x");
    REQUIRE(await_fact([&] {
      crossing.run();
      if (crossing.direction.bytes() > before) return true;
      ::recv(crossing.reader(), std::string(65'536, '\0').data(), 65'536, MSG_DONTWAIT);
      return false;
    }));
  }
  REQUIRE(switched(relay::Switch::small_chunks) == 1);
}

TEST_CASE("nothing is read while the target is full", "[relay]") {
  const auto engine = GENERATE(EnginePolicy::splice, EnginePolicy::copy, EnginePolicy::zerocopy,
                               EnginePolicy::uring);
  Crossing crossing{engine, small_buffers()};
  std::string text = pattern(2'000'000);
  std::thread sender{[&] {
    send_all(crossing.sender(), text);
    os::finish_sending(crossing.sender());
  }};
  REQUIRE(crossing.run_until(Outcome::target_full));
  const std::uint64_t before = crossing.direction.bytes();
  crossing.target.writable = false;
  REQUIRE(crossing.direction.run(crossing.source, crossing.target, crossing.workspace).outcome ==
          Outcome::target_full);
  REQUIRE(crossing.direction.bytes() == before);
  std::string arrived;
  std::thread reader{[&] { arrived = read_to_end(crossing.reader()); }};
  REQUIRE(crossing.run_until(Outcome::finished));
  sender.join();
  reader.join();
  REQUIRE(arrived == text);
}

TEST_CASE("FIN waits for the bytes that are held", "[relay]") {
  const auto engine = GENERATE(EnginePolicy::splice, EnginePolicy::copy, EnginePolicy::zerocopy,
                               EnginePolicy::uring);
  Crossing crossing{engine, small_buffers()};
  std::thread sender{[&] {
    send_all(crossing.sender(), pattern(200'000));
    os::finish_sending(crossing.sender());
  }};
  REQUIRE(crossing.run_until(Outcome::target_full));
  REQUIRE(crossing.direction.holds_bytes());
  REQUIRE_FALSE(crossing.direction.finished());
  std::string arrived;
  std::thread reader{[&] { arrived = read_to_end(crossing.reader()); }};
  REQUIRE(crossing.run_until(Outcome::finished));
  sender.join();
  reader.join();
  REQUIRE(arrived == pattern(200'000));
}

TEST_CASE("a TCP urgent byte is delivered in line, and what follows it too", "[relay]") {
  const auto engine = GENERATE(from_range(every_engine));
  const bool with_fin = GENERATE(true, false);
  Crossing crossing{engine};
  send_all(crossing.sender(), "abc");
  REQUIRE(::send(crossing.sender(), "X", 1, MSG_OOB) == 1);
  send_all(crossing.sender(), "def");
  if (with_fin) os::finish_sending(crossing.sender());
  REQUIRE(await_fact([&] {
    crossing.run();
    return crossing.direction.bytes() == 7;
  }));
  REQUIRE(read_exactly(crossing.reader(), 7) == "abcXdef");
  REQUIRE(crossing.run_until(with_fin ? Outcome::finished : Outcome::source_empty));
}

TEST_CASE("a short read leaves nothing behind an urgent mark that was announced", "[relay]") {
  Crossing crossing{EnginePolicy::copy};
  send_all(crossing.sender(), "abc");
  REQUIRE(::send(crossing.sender(), "X", 1, MSG_OOB) == 1);
  REQUIRE(await_events(crossing.source.socket, POLLPRI));
  crossing.source.readable = crossing.source.urgent = true;
  crossing.target.writable = true;
  crossing.direction.run(crossing.source, crossing.target, crossing.workspace);
  REQUIRE(crossing.direction.bytes() == 4);
}

TEST_CASE("bytes that came before a reset are delivered, and the reset is no FIN", "[relay]") {
  const auto engine = GENERATE(EnginePolicy::splice, EnginePolicy::copy, EnginePolicy::zerocopy,
                               EnginePolicy::uring);
  Crossing crossing{engine};
  send_all(crossing.sender(), "last words");
  os::reset_on_close(crossing.sender());
  crossing.incoming.client.reset();
  REQUIRE(crossing.run_until(Outcome::source_failed));
  REQUIRE(crossing.source.error == ECONNRESET);
  REQUIRE_FALSE(crossing.direction.finished());
  REQUIRE(read_exactly(crossing.reader(), 10) == "last words");
}

TEST_CASE("the end of a socket whose error was fetched elsewhere is no FIN", "[relay]") {
  Crossing crossing{EnginePolicy::copy};
  os::reset_on_close(crossing.sender());
  crossing.incoming.client.reset();
  REQUIRE(await_fact([&] {
    const int error = os::take_error(crossing.source.socket);
    if (error != 0) crossing.source.fail(error);
    return error != 0;
  }));
  REQUIRE(crossing.run().outcome == Outcome::source_failed);
}

TEST_CASE("a target that is gone fails the direction, and its pipe is closed, not pooled",
          "[relay]") {
  Crossing crossing{EnginePolicy::splice, small_buffers()};
  std::thread sender{[&] {
    const std::string text = pattern(500'000);
    for (std::size_t sent = 0; sent < text.size();) {
      const auto result = os::send(crossing.sender(), bytes_of(text).subspan(sent));
      if (result.status != os::IoStatus::moved) break;
      sent += result.bytes;
    }
  }};
  sender.join();
  REQUIRE(crossing.run_until(Outcome::target_full));
  REQUIRE(crossing.direction.holds_bytes());
  os::reset_on_close(crossing.reader());
  crossing.outgoing.server.reset();
  REQUIRE(crossing.run_until(Outcome::target_failed));
  crossing.direction.discard(crossing.source, crossing.target, crossing.workspace);
  REQUIRE(crossing.direction.lost_bytes());
  REQUIRE(crossing.workspace.counters().pipes_idle.value() == 0);
  REQUIRE(crossing.workspace.counters().pipes_leased.value() == 0);
}

TEST_CASE("without a pipe the splice engine copies and counts why", "[relay]") {
  relay::Options options = relay_options(EnginePolicy::splice);
  options.pipes_max = 0;
  Crossing crossing{options};
  const std::string text = pattern(100'000);
  REQUIRE(carry(crossing, text) == text);
  REQUIRE(crossing.direction.bytes_by(Engine::copy) == text.size());
  const auto limit = static_cast<std::size_t>(relay::Fallback::pool_limit);
  REQUIRE(crossing.workspace.counters().fallbacks[limit].value() > 0);
}

TEST_CASE("a direction that fills its pipe again and again gets a larger one, and gives it back",
          "[relay]") {
  relay::Options options = relay_options(EnginePolicy::splice);
  options.pipe_bytes = 64 * 1024;
  options.grown_pipes_max = 1;
  options.grown_pipe_bytes = 256 * 1024;
  Crossing crossing{options};
  relay::PipePool& pool = crossing.workspace.pipes();
  const base::Counter& large = crossing.workspace.counters().pipes_large;
  // Each is one read: it begins when all of them are there.
  const auto passes = [&](std::size_t bytes, int times) {
    const std::string text = pattern(bytes);
    for (int i = 0; i < times; ++i) {
      send_all(crossing.sender(), text);
      REQUIRE(await_fact([&] { return os::unread_bytes(crossing.source.socket) == bytes; }));
      crossing.run();
      REQUIRE(read_exactly(crossing.reader(), bytes) == text);
    }
  };
  passes(32 * 1024, base::grow_after_full_pipes - 1);
  REQUIRE(large.value() == 0);
  passes(32 * 1024, 1);
  REQUIRE(large.value() == 1);
  REQUIRE(crossing.workspace.counters().pipes_leased.value() == 0);
  // It goes quiet, and the pages are given back; what moves again gets them again.
  pool.close_unused_large();
  pool.close_unused_large();
  REQUIRE(large.value() == 0);
  passes(32 * 1024, base::grow_after_full_pipes);
  REQUIRE(large.value() == 1);
  // Whoever reads little is content with a usual one, after as many reads as made it grow.
  passes(1024, 2 * base::grow_after_full_pipes);
  pool.close_unused_large();
  passes(1024, 1);
  pool.close_unused_large();
  REQUIRE(large.value() == 0);
}

TEST_CASE("without a held buffer nothing is read, and one that comes free lets it go on",
          "[relay]") {
  Crossing crossing{EnginePolicy::copy};
  send_all(crossing.sender(), "hello");
  REQUIRE(await_events(crossing.source.socket, POLLIN));
  std::vector<relay::HeldBuffer*> taken;
  auto& buffers = crossing.workspace.buffers();
  while (buffers.available()) taken.push_back(buffers.take());
  REQUIRE(crossing.run().outcome == Outcome::no_buffer);
  REQUIRE(crossing.direction.bytes() == 0);
  for (auto* buffer : taken) buffers.give_back(buffer);
  crossing.run();
  REQUIRE(crossing.direction.bytes() == 5);
}

TEST_CASE("one run moves no more than its budget", "[relay]") {
  Crossing crossing{EnginePolicy::adaptive};
  std::string arrived;
  std::thread sender{[&] {
    send_all(crossing.sender(), pattern(8 << 20));
    os::finish_sending(crossing.sender());
  }};
  std::thread reader{[&] { arrived = read_to_end(crossing.reader()); }};
  std::size_t most = 0;
  REQUIRE(await_fact([&] {
    const auto run = crossing.run();
    most = std::max(most, run.bytes);
    return run.outcome == Outcome::finished;
  }));
  sender.join();
  reader.join();
  REQUIRE(arrived.size() == 8U << 20);
  REQUIRE(most < base::direction_budget_bytes + (4U << 20));
}
