#include <sys/resource.h>
#include <sys/socket.h>

#include "base/limits.hpp"
#include "catch.hpp"
#include "os/loopback.hpp"
#include "relay/buffer_pool.hpp"
#include "relay/pipe_pool.hpp"

using namespace penstock;
using namespace penstock::testing;
using relay::PipeSize;

namespace {

constexpr base::Instant start{std::chrono::seconds{100}};

// No new descriptor while it lives.
class Starved {
 public:
  Starved() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit none = before_;
    none.rlim_cur = 0;
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~Starved() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

relay::Options pipes(std::size_t number) {
  relay::Options options;
  options.pipe_bytes = 65'536;
  options.pipes_max = number;
  return options;
}

// Of which so many may grow.
relay::Options growing_pipes(std::size_t number, std::size_t grown,
                             std::size_t grown_bytes = 262'144) {
  relay::Options options = pipes(number);
  options.grown_pipes_max = grown;
  options.grown_pipe_bytes = grown_bytes;
  return options;
}

std::uint64_t count(const relay::Counters& counters, relay::Fallback reason) {
  return counters.fallbacks[static_cast<std::size_t>(reason)].value();
}

}  // namespace

TEST_CASE("the pipe that came back last is leased first", "[relay]") {
  relay::Counters counters;
  relay::PipePool pool{pipes(4), *std::pmr::new_delete_resource(), counters};
  os::Pipe* first = pool.lease(PipeSize::usual, start);
  os::Pipe* second = pool.lease(PipeSize::usual, start);
  REQUIRE(first != nullptr);
  REQUIRE(first != second);
  pool.give_back(second);
  pool.give_back(first);
  REQUIRE(counters.pipes_idle.value() == 2);
  REQUIRE(pool.lease(PipeSize::usual, start) == first);
  pool.give_back(first);
}

TEST_CASE("a pool declines beyond its limit and goes on when a pipe comes back", "[relay]") {
  relay::Counters counters;
  relay::PipePool pool{pipes(1), *std::pmr::new_delete_resource(), counters};
  os::Pipe* only = pool.lease(PipeSize::usual, start);
  REQUIRE(pool.lease(PipeSize::usual, start) == nullptr);
  REQUIRE(count(counters, relay::Fallback::pool_limit) == 1);
  pool.give_back(only);
  REQUIRE(pool.lease(PipeSize::usual, start) == only);
  pool.discard(only);
  REQUIRE(counters.pipes_leased.value() == 0);
  REQUIRE(counters.pipes_idle.value() == 0);
}

TEST_CASE("without descriptors a pool declines, and tries again only a second later", "[relay]") {
  relay::Counters counters;
  relay::PipePool pool{pipes(4), *std::pmr::new_delete_resource(), counters};
  {
    const Starved starved;
    REQUIRE(pool.lease(PipeSize::usual, start) == nullptr);
  }
  REQUIRE(pool.lease(PipeSize::usual, start + std::chrono::milliseconds{999}) == nullptr);
  REQUIRE(count(counters, relay::Fallback::no_descriptor) == 2);
  os::Pipe* pipe = pool.lease(PipeSize::usual, start + std::chrono::seconds{1});
  REQUIRE(pipe != nullptr);
  pool.give_back(pipe);
}

TEST_CASE("a pool keeps only so many idle pipes", "[relay]") {
  relay::Counters counters;
  relay::PipePool pool{pipes(base::pipes_warm_max + 10), *std::pmr::new_delete_resource(),
                       counters};
  std::vector<os::Pipe*> leased;
  for (std::size_t i = 0; i < base::pipes_warm_max + 10; ++i) {
    leased.push_back(pool.lease(PipeSize::usual, start));
    REQUIRE(leased.back() != nullptr);
  }
  for (auto* pipe : leased) pool.give_back(pipe);
  REQUIRE(counters.pipes_idle.value() == base::pipes_warm_max);
}

TEST_CASE("who asks for a large pipe gets one that grew, and so does the next", "[relay]") {
  relay::Counters counters;
  relay::PipePool pool{growing_pipes(4, 2), *std::pmr::new_delete_resource(), counters};
  os::Pipe* usual = pool.lease(PipeSize::usual, start);
  REQUIRE(usual->capacity == 65'536);
  pool.give_back(usual);
  os::Pipe* large = pool.lease(PipeSize::large, start);
  REQUIRE(large == usual);
  REQUIRE(large->capacity == 262'144);
  REQUIRE(counters.pipes_large.value() == 1);
  os::Pipe* other = pool.lease(PipeSize::usual, start);
  pool.give_back(large);
  pool.give_back(other);
  REQUIRE(pool.lease(PipeSize::large, start) == large);
  REQUIRE(pool.lease(PipeSize::usual, start) == other);
  REQUIRE(counters.pipes_large.value() == 1);
  pool.give_back(other);
  pool.discard(large);
  REQUIRE(counters.pipes_large.value() == 0);
  REQUIRE(counters.pipes_idle.value() == 1);
}

TEST_CASE("no more pipes grow than may, and who comes later has a usual one", "[relay]") {
  relay::Counters counters;
  relay::PipePool pool{growing_pipes(3, 1), *std::pmr::new_delete_resource(), counters};
  os::Pipe* large = pool.lease(PipeSize::large, start);
  os::Pipe* usual = pool.lease(PipeSize::large, start);
  REQUIRE(large->capacity == 262'144);
  REQUIRE(usual->capacity == 65'536);
  pool.discard(large);
  os::Pipe* next = pool.lease(PipeSize::large, start);
  REQUIRE(next->capacity == 262'144);
  pool.give_back(usual);
  pool.give_back(next);
}

TEST_CASE("an idle large pipe serves who could have no other", "[relay]") {
  relay::Counters counters;
  relay::PipePool pool{growing_pipes(1, 1), *std::pmr::new_delete_resource(), counters};
  os::Pipe* only = pool.lease(PipeSize::large, start);
  pool.give_back(only);
  REQUIRE(pool.lease(PipeSize::usual, start) == only);
  REQUIRE(count(counters, relay::Fallback::pool_limit) == 0);
  pool.give_back(only);
}

TEST_CASE("who wants a usual pipe has one opened rather than a large one", "[relay]") {
  relay::Counters counters;
  relay::PipePool pool{growing_pipes(2, 1), *std::pmr::new_delete_resource(), counters};
  os::Pipe* large = pool.lease(PipeSize::large, start);
  pool.give_back(large);
  os::Pipe* usual = pool.lease(PipeSize::usual, start);
  REQUIRE(usual->capacity == 65'536);
  pool.give_back(usual);
}

TEST_CASE("where the kernel makes no pipe larger, the usual ones serve", "[relay]") {
  relay::Counters counters;
  // More than it gives anybody.
  relay::PipePool pool{growing_pipes(2, 2, std::size_t{1} << 31), *std::pmr::new_delete_resource(),
                       counters};
  for (int second = 0; second < 3; ++second) {
    os::Pipe* pipe = pool.lease(PipeSize::large, start + std::chrono::seconds{second});
    REQUIRE(pipe != nullptr);
    REQUIRE(pipe->capacity == 65'536);
    pool.give_back(pipe);
  }
  REQUIRE(counters.pipes_large.value() == 0);
  REQUIRE(counters.pipes_idle.value() == 1);
  REQUIRE(count(counters, relay::Fallback::small_pipe) == 0);
}

TEST_CASE("large pipes that nobody needed between two looks are closed", "[relay]") {
  relay::Counters counters;
  relay::PipePool pool{growing_pipes(4, 3), *std::pmr::new_delete_resource(), counters};
  os::Pipe* first = pool.lease(PipeSize::large, start);
  os::Pipe* second = pool.lease(PipeSize::large, start);
  os::Pipe* kept = pool.lease(PipeSize::large, start);
  pool.give_back(first);
  pool.give_back(second);
  pool.close_unused_large();  // they were all needed since the pool began
  REQUIRE(counters.pipes_large.value() == 3);
  pool.give_back(pool.lease(PipeSize::large, start));  // one is, again and again
  pool.close_unused_large();
  REQUIRE(counters.pipes_large.value() == 2);
  REQUIRE(counters.pipes_idle.value() == 1);
  pool.close_unused_large();
  REQUIRE(counters.pipes_large.value() == 1);
  pool.give_back(kept);
  pool.close_unused_large();
  pool.close_unused_large();
  REQUIRE(counters.pipes_large.value() == 0);
  REQUIRE(counters.pipes_idle.value() == 0);
}

TEST_CASE("a held buffer gives back what was put in, in parts", "[relay]") {
  relay::Counters counters;
  relay::BufferPool pool{base::held_buffers_max, 1024, *std::pmr::new_delete_resource(), counters};
  REQUIRE(pool.available());
  relay::HeldBuffer* buffer = pool.take();
  buffer->hold(bytes_of("abcdef"));
  buffer->take(2);
  REQUIRE(buffer->rest().size() == 4);
  REQUIRE(static_cast<char>(buffer->rest()[0]) == 'c');
  buffer->take(4);
  REQUIRE(buffer->empty());
  REQUIRE(counters.buffers_leased.value() == 1);
  pool.give_back(buffer);
  REQUIRE(counters.buffers_leased.value() == 0);
}

TEST_CASE("no memory means no buffer, and nothing else", "[relay]") {
  relay::Counters counters;
  // Enough for the books, not for a buffer.
  std::array<std::byte, 4096> books{};
  std::pmr::monotonic_buffer_resource little{books.data(), books.size(),
                                             std::pmr::null_memory_resource()};
  relay::BufferPool pool{8, 64 << 10, little, counters};
  REQUIRE_FALSE(pool.available());
}
