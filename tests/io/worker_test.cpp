#include "io/worker.hpp"

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <string>

#include "catch.hpp"
#include "io/alarm.hpp"
#include "io/work.hpp"

namespace penstock::io {

namespace {

// Until so many calls have come. Something else has to be waited for, or the loop ends.
void run_until(boost::asio::io_context& io, const std::string& calls, std::size_t count) {
  Alarm alarm{io};
  alarm.set(std::chrono::hours{1}, [] {});
  for (int i = 0; i < 100 && calls.size() < count; ++i)
    run_one_call(io, std::chrono::milliseconds{100});
  REQUIRE(calls.size() == count);
}

}  // namespace

TEST_CASE("work is done elsewhere, in its order, and told here", "[io]") {
  const OwnedIo io = make_io();
  std::string calls;
  std::thread::id start;
  std::vector<std::thread::id> threads;
  Worker worker{*io, [&] { start = std::this_thread::get_id(); }};
  for (const char name : {'a', 'b', 'c'})
    worker.run([&] { threads.push_back(std::this_thread::get_id()); },
               [&calls, name] { calls += name; });
  run_until(*io, calls, 3);
  CHECK(calls == "abc");
  CHECK(threads == std::vector(3, start));
  CHECK(start != std::this_thread::get_id());
}

TEST_CASE("a worker ends after what it is at", "[io]") {
  const OwnedIo io = make_io();
  std::atomic<bool> is_at_it{false};
  bool is_done = false;
  {
    Worker worker{*io, {}};
    worker.run(
        [&] {
          is_at_it = true;
          for (int i = 0; i < 1000; ++i) std::this_thread::yield();
          is_done = true;
        },
        [] {});
    while (!is_at_it) std::this_thread::yield();
  }
  CHECK(is_done);
}

}  // namespace penstock::io
