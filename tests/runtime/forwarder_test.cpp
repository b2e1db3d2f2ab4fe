#include "runtime/forwarder.hpp"

#include "catch.hpp"
#include "os/loopback.hpp"

using namespace penstock;
using namespace penstock::testing;

TEST_CASE("nothing of a connection is older than its arrival", "[runtime]") {
  std::atomic<bool> stale{false};
  upstream::ClusterSpec spec;
  spec.name = "origin";
  upstream::Upstream origin{spec, 0, stale};
  session::Listener listener;
  listener.upstream = &origin;
  const session::LogSwitches log;
  runtime::Admission admission{10, {}};
  runtime::RecordBell bell;
  runtime::Forwarder::Setup setup;
  setup.listeners = 1;
  setup.upstreams = {&origin};
  setup.upstreams_stale = &stale;
  runtime::Forwarder forwarder{setup, log, admission, bell, *std::pmr::new_delete_resource()};
  const os::Fd server = listen_at(loopback_v4());
  os::Fd client = dial(address_of(server.get()));
  // As when an acceptor stamps it after the forwarder has read the clock for this round.
  session::Arrival arrival{.socket = client.release(),
                           .over_limit = true,
                           .peer = {},
                           .id = 1,
                           .at = os::now() + std::chrono::seconds{1},
                           .listener = &listener};
  REQUIRE(admission.reserve());
  listener.active = 1;
  REQUIRE(forwarder.offer(0, arrival));
  forwarder.start(nullptr);
  session::Record record;
  REQUIRE(await_fact([&] { return forwarder.records().try_pop(record); }));
  CHECK(record.duration >= base::Duration{0});
}
