#include <sys/resource.h>
#include <sys/socket.h>

#include "base/limits.hpp"
#include "catch.hpp"
#include "os/loopback.hpp"
#include "relay/buffer_pool.hpp"
#include "relay/pipe_pool.hpp"

using namespace penstock;
using namespace penstock::testing;

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

std::uint64_t count(const relay::Counters& counters, relay::Fallback reason) {
  return counters.fallbacks[static_cast<std::size_t>(reason)].value();
}

}  // namespace

TEST_CASE("the pipe that came back last is leased first", "[relay]") {
  relay::Counters counters;
  relay::PipePool pool{4, 65'536, *std::pmr::new_delete_resource(), counters};
  os::Pipe* first = pool.lease(start);
  os::Pipe* second = pool.lease(start);
  REQUIRE(first != nullptr);
  REQUIRE(first != second);
  pool.give_back(second);
  pool.give_back(first);
  REQUIRE(counters.pipes_idle.value() == 2);
  REQUIRE(pool.lease(start) == first);
  pool.give_back(first);
}

TEST_CASE("a pool declines beyond its limit and goes on when a pipe comes back", "[relay]") {
  relay::Counters counters;
  relay::PipePool pool{1, 65'536, *std::pmr::new_delete_resource(), counters};
  os::Pipe* only = pool.lease(start);
  REQUIRE(pool.lease(start) == nullptr);
  REQUIRE(count(counters, relay::Fallback::pool_limit) == 1);
  pool.give_back(only);
  REQUIRE(pool.lease(start) == only);
  pool.discard(only);
  REQUIRE(counters.pipes_leased.value() == 0);
  REQUIRE(counters.pipes_idle.value() == 0);
}

TEST_CASE("without descriptors a pool declines, and tries again only a second later", "[relay]") {
  relay::Counters counters;
  relay::PipePool pool{4, 65'536, *std::pmr::new_delete_resource(), counters};
  {
    const Starved starved;
    REQUIRE(pool.lease(start) == nullptr);
  }
  REQUIRE(pool.lease(start + std::chrono::milliseconds{999}) == nullptr);
  REQUIRE(count(counters, relay::Fallback::no_descriptor) == 2);
  os::Pipe* pipe = pool.lease(start + std::chrono::seconds{1});
  REQUIRE(pipe != nullptr);
  pool.give_back(pipe);
}

TEST_CASE("a pool keeps only so many idle pipes", "[relay]") {
  relay::Counters counters;
  relay::PipePool pool{base::pipes_warm_max + 10, 65'536, *std::pmr::new_delete_resource(),
                       counters};
  std::vector<os::Pipe*> leased;
  for (std::size_t i = 0; i < base::pipes_warm_max + 10; ++i) {
    leased.push_back(pool.lease(start));
    REQUIRE(leased.back() != nullptr);
  }
  for (auto* pipe : leased) pool.give_back(pipe);
  REQUIRE(counters.pipes_idle.value() == base::pipes_warm_max);
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
