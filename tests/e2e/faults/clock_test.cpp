// E7 and E8: the wall clock jumps, and the monotonic clock passes 2^32 milliseconds.

#include <fmt/format.h>

#include <ctime>
#include <filesystem>

#include "catch.hpp"
#include "e2e/faults/scenario.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/penstock.hpp"

using namespace penstock::e2e;

namespace {

constexpr const char* faketime_library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

double duration_of(const Record& record) {
  return record.at("duration_ms").to_number<double>();
}

std::string an_impatient_listener(const std::string& address, Milliseconds idle_timeout) {
  return fmt::format("  - {{name: impatient, bind: \"{}\", upstream: app, idle_timeout: {}ms}}\n",
                     address, idle_timeout.count());
}

void expect_exchange(Peer& client, Peer& upstream) {
  client.send("ping");
  CHECK(upstream.read(4) == "ping");
  upstream.send("pong");
  CHECK(client.read(4) == "pong");
}

struct Jump {
  const char* to;         // as libfaketime's file wants it
  const char* year_only;  // what a line's time begins with; null = an offset
  long offset_s;
};
constexpr Jump jumps[]{{"+1h", nullptr, 3600},
                       {"-1h", nullptr, -3600},
                       {"@2038-01-19 03:13:00", "2038-01-19T03:1", 0},
                       {"@2038-01-19 03:16:00", "2038-01-19T03:1", 0},
                       {"@2106-02-07 06:30:00", "2106-02-07T06:", 0},
                       {"+0", nullptr, 0}};

long seconds_of(const std::string& time) {
  std::tm parts{};
  if (::strptime(time.c_str(), "%Y-%m-%dT%H:%M:%S", &parts) == nullptr)
    throw Failure{"no time: " + time};
  return ::timegm(&parts);
}

// Replaced at once, so that nobody reads half of it.
void set_clock(const TemporaryFolder& folder, const std::string& to) {
  std::filesystem::rename(folder.write("clock.new", to + "\n"), folder.path("clock"));
}

std::vector<std::string> faked_clock(const TemporaryFolder& folder) {
  return {fmt::format("LD_PRELOAD={}", faketime_library),
          fmt::format("FAKETIME_TIMESTAMP_FILE={}", folder.path("clock")), "FAKETIME_NO_CACHE=1",
          "FAKETIME_DONT_FAKE_MONOTONIC=1",
          // Debian 13's (0.9.10+2024-06-05) may wait for itself where one thread asks about a file
          // while others read the clock.
          "NO_FAKE_STAT=1", "TZ=UTC"};
}

bool bears(const std::string& time, const Jump& jump) {
  if (jump.year_only != nullptr) return time.starts_with(jump.year_only);
  return std::abs(seconds_of(time) - (::time(nullptr) + jump.offset_s)) < 300;
}

// Over a clock that runs ahead: seconds since its start.
double shifted_seconds(long offset_s) {
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count() +
         static_cast<double>(offset_s);
}

}  // namespace

TEST_CASE("E7 the wall clock jumps", "[faults][e]") {
  constexpr auto idle_timeout = 600ms;
  Scenario scenario{"E7", "the wall clock jumps by +1 h, -1 h, over 2038 and 2106, and back",
                    "no timer is early or late; nothing is cut; the log bears the clock's time"};
  if (!std::filesystem::exists(faketime_library)) {
    WARN("skipped: libfaketime is not installed");
    return;
  }
  TemporaryFolder folder;
  set_clock(folder, "+0");
  Origin origin;
  const std::string impatient = free_address();
  Penstock penstock{{.endpoints = {origin.address()},
                     // The faked clock reads its file from every thread.
                     .runtime = "drain: {timeout: 5s}, sandbox: off",
                     .more_listeners = an_impatient_listener(impatient, idle_timeout),
                     .program = {.environment = faked_clock(folder)}}};
  scenario.watch(penstock.program(), {penstock.address(), impatient, origin.address()});
  Peer lasting = penstock.client();
  Peer lasting_upstream = origin.accept();
  std::size_t true_times = 0;
  double shortest = 1e9;
  double longest = 0;
  for (const Jump& jump : jumps) {
    INFO(jump.to);
    Peer client = Peer::connect(impatient);
    Peer upstream = origin.accept();
    expect_exchange(client, upstream);
    set_clock(folder, jump.to);
    expect_exchange(lasting, lasting_upstream);
    CHECK(client.receive_all().ending == Ending::reset);
    const Record record = penstock.record_of(client);
    CHECK(text_of(record, "reason") == "idle_timeout");
    CHECK(duration_of(record) >= idle_timeout.count());
    shortest = std::min(shortest, duration_of(record));
    longest = std::max(longest, duration_of(record));
    INFO(text_of(record, "time"));
    CHECK(bears(text_of(record, "time"), jump));
    true_times += bears(text_of(record, "time"), jump) ? 1 : 0;
    CHECK(lasting.ending() == Ending::open);
  }
  const double ticks = scenario.idle_ticks();
  CHECK(ticks < 20);
  lasting.finish_sending();
  lasting_upstream.finish_sending();
  scenario.verdict("client of the lasting one", lasting.receive_all().ending);
  penstock.wait_until_rest();
  scenario.settle();
  scenario.saw(
      fmt::format("{} jumps: an idle_timeout of 600 ms ended each time after {:.0f} to "
                  "{:.0f} ms; {} log lines with the time of the clock; the lasting "
                  "connection went on",
                  std::size(jumps), shortest, longest, true_times));
}

TEST_CASE("E8 the monotonic clock passes 2^32 milliseconds", "[faults][e]") {
  constexpr double wrap_s = 4294967.296;
  constexpr auto idle_timeout = 6000ms;
  Scenario scenario{"E8", "the monotonic clock passes 2^32 ms while connections are open",
                    "nothing happens: no timer is early or late, nobody is cut, nobody spins"};
  Origin origin;
  const std::string impatient = free_address();
  const long offset = static_cast<long>(wrap_s - shifted_seconds(0)) - 4;
  Penstock penstock{{.endpoints = {origin.address()},
                     .listener = "idle_timeout: 6s, half_close_timeout: 5s",
                     .more_listeners = an_impatient_listener(impatient, idle_timeout),
                     .program = {.monotonic_offset_s = offset}}};
  scenario.watch(penstock.program(), {penstock.address(), impatient, origin.address()});
  Peer quiet = Peer::connect(impatient);
  Peer quiet_upstream = origin.accept();
  Peer half = penstock.client();
  Peer half_upstream = origin.accept();
  half.finish_sending();
  CHECK(half_upstream.read_to_end().empty());
  Peer busy = penstock.client();
  Peer busy_upstream = origin.accept();
  const double opened = shifted_seconds(offset);
  REQUIRE(opened < wrap_s);
  std::size_t exchanges = 0;
  while (shifted_seconds(offset) < wrap_s + 3) {
    expect_exchange(busy, busy_upstream);
    ++exchanges;
    holds_for(50ms, "the busy one is open", [&] { return busy.ending() == Ending::open; });
  }
  const Record record = penstock.record_of(quiet);
  CHECK(text_of(record, "reason") == "idle_timeout");
  CHECK(duration_of(record) >= idle_timeout.count());
  const Record half_record = penstock.record_of(half);
  CHECK(text_of(half_record, "reason") == "half_close_timeout");
  CHECK(duration_of(half_record) >= 5000);
  busy.finish_sending();
  busy_upstream.finish_sending();
  scenario.verdict("client of the busy one", busy.receive_all().ending);
  scenario.verdict("client of the quiet one", quiet.receive_all().ending);
  const double ticks = scenario.idle_ticks();
  CHECK(ticks < 20);
  penstock.wait_until_rest();
  scenario.settle();
  scenario.saw(fmt::format(
      "opened {:.1f} s before 2^32 ms: idle_timeout 6000 ms ended after {:.0f} ms, "
      "half_close_timeout 5000 ms after {:.0f} ms, beyond it; {} exchanges every 50 ms went on",
      wrap_s - opened, duration_of(record), duration_of(half_record), exchanges));
}
