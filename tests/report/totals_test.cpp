#include "report/totals.hpp"

#include <chrono>

#include "catch.hpp"
#include "runtime/round_times.hpp"

using namespace penstock;
using namespace std::chrono_literals;

namespace {

// Two forwarders, two listeners, one upstream.
struct Rig {
  session::Counters first{2, 1};
  session::Counters second{2, 1};
  std::array<relay::Counters, 2> relay;
  std::array<runtime::RoundTimes, 2> rounds;

  report::ForwarderViews views() const {
    const auto view = [this](std::size_t i, const session::Counters& sessions) {
      return runtime::ForwarderView{.index = i,
                                    .node = 0,
                                    .cpu = -1,
                                    .relay = relay[i],
                                    .sessions = sessions,
                                    .rounds = rounds[i],
                                    .last_answer = {},
                                    .ring_refusal = {}};
    };
    return {view(0, first), view(1, second)};
  }
};

}  // namespace

TEST_CASE("what forwarders count of a listener is added up, and its neighbours are not",
          "[report]") {
  Rig rig;
  rig.first.listeners[0].accepted.add(5);
  rig.second.listeners[0].accepted.add(7);
  rig.second.listeners[1].accepted.add(100);
  rig.first.listeners[0].bytes[session::to_client].add(10);
  rig.second.listeners[0].truncated[session::to_upstream].add(2);
  rig.first.listeners[0].duration.record(1ms);
  rig.second.listeners[0].duration.record(2s);
  const auto overload = static_cast<std::size_t>(session::CloseReason::overload);
  rig.second.listeners[0].closed[overload].add(3);
  rig.first.listeners[1].closed[0].add(4);

  const report::ListenerTotals one = report::listener_totals(rig.views(), 0);
  CHECK(one.accepted == 12);
  CHECK(one.bytes[session::to_client] == 10);
  CHECK(one.truncated[session::to_upstream] == 2);
  CHECK(one.duration.sum_seconds == Approx(2.001));
  CHECK(one.closed_for(session::CloseReason::overload) == 3);
  CHECK(one.ended() == 3);
  const report::ListenerTotals all = report::all_listeners(rig.views());
  CHECK(all.accepted == 112);
  CHECK(all.ended() == 7);
}

TEST_CASE("what forwarders count beside listeners is added up", "[report]") {
  Rig rig;
  rig.first.cut.add(1);
  rig.second.cut.add(2);
  rig.first.retransmits[1].add(3);
  rig.second.records_dropped.add(4);
  rig.second.stalls.add(5);
  rig.first.upstreams[0].retries.add(6);
  rig.second.upstreams[0].connect.record(3ms);
  rig.relay[0].pipes_leased.set(7);
  rig.relay[1].pipes_idle.set(8);
  rig.relay[1].switched(relay::Switch::refused);
  rig.relay[0].fell_back(relay::Fallback::pool_limit);

  const report::SessionTotals sessions = report::session_totals(rig.views());
  CHECK(sessions.cut == 3);
  CHECK(sessions.retransmits[1] == 3);
  CHECK(sessions.records_dropped == 4);
  CHECK(sessions.stalls == 5);
  const report::UpstreamTotals upstream = report::upstream_totals(rig.views(), 0);
  CHECK(upstream.retries == 6);
  CHECK(upstream.connect.sum_seconds == Approx(0.003));
  const report::RelayTotals relay = report::relay_totals(rig.views());
  CHECK(relay.pipes_leased == 7);
  CHECK(relay.pipes_idle == 8);
  CHECK(relay.switches[static_cast<std::size_t>(relay::Switch::refused)] == 1);
  CHECK(relay.fallbacks[static_cast<std::size_t>(relay::Fallback::pool_limit)] == 1);
}

TEST_CASE("a page adds a row up once, however many families show it", "[report]") {
  Rig rig;
  rig.first.listeners[1].accepted.add(1);
  const report::ForwarderViews views = rig.views();
  report::TotalsByRow rows{views, 2, 1};
  const report::ListenerTotals& seen = rows.listener(1);
  rig.first.listeners[1].accepted.add(1);
  CHECK(&rows.listener(1) == &seen);
  CHECK(rows.listener(1).accepted == 1);
  CHECK(report::listener_totals(views, 1).accepted == 2);
}
