#include "io/control_watch.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "catch.hpp"
#include "io/alarm.hpp"
#include "io/work.hpp"
#include "os/clock.hpp"

namespace penstock::io {

namespace {

constexpr base::Instant start{std::chrono::hours{1}};

// Keeps the processor busy.
void work_for(base::Duration time) {
  const base::Duration end = os::thread_cpu_time() + time;
  while (os::thread_cpu_time() < end) {
  }
}

}  // namespace

TEST_CASE("calls that take longer than 50 ms are counted, and said once in ten seconds", "[io]") {
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  ControlWatch watch;
  watch.called(milliseconds{50});
  CHECK(watch.blocked() == 0);
  CHECK_FALSE(watch.look(start));
  watch.called(milliseconds{51});
  watch.called(milliseconds{400});
  CHECK(watch.blocked() == 2);
  CHECK(watch.look(start) ==
        "control needed up to 400 ms for one call of its loop, 2 times too long: pages, checks and "
        "signals waited; connections did not");
  CHECK_FALSE(watch.look(start));
  watch.called(milliseconds{60});
  CHECK_FALSE(watch.look(start + seconds{9}));
  CHECK(watch.look(start + seconds{10}));
}

TEST_CASE("the loop tells its watch of each call, also of the first one after a wait", "[io]") {
  const OwnedIo io = make_io();
  ControlWatch watch;
  for (int i = 0; i < 3; ++i)
    boost::asio::post(*io, [] { work_for(ControlWatch::call_max + std::chrono::milliseconds{5}); });
  io::Alarm alarm{*io};
  alarm.set(std::chrono::milliseconds{300},
            [] { work_for(ControlWatch::call_max + std::chrono::milliseconds{5}); });
  run_work(*io, watch);
  CHECK(watch.blocked() == 4);
}

TEST_CASE("waiting is no work", "[io]") {
  const OwnedIo io = make_io();
  ControlWatch watch;
  io::Alarm alarm{*io};
  alarm.set(2 * ControlWatch::call_max, [] {});
  run_work(*io, watch);
  CHECK(watch.blocked() == 0);
}

}  // namespace penstock::io
