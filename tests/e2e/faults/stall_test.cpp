// A wake-up that is lost is found, told and made good. strace lies about an empty socket, which is
// what a lost edge looks like from inside.

#include "catch.hpp"
#include "e2e/faults/tracer.hpp"
#include "e2e/origin.hpp"
#include "e2e/penstock.hpp"

using namespace penstock::e2e;

TEST_CASE("a connection that was told of an empty socket in error is taken up again",
          "[faults][stall]") {
  if (!can_trace()) {
    WARN("skipped: strace cannot trace here");
    return;
  }
  Origin origin;
  Penstock penstock{
      {.endpoints = {origin.address()}, .relay = "engine: adaptive", .runtime = "forwarders: 1"}};
  Peer client = penstock.client();
  Peer upstream = origin.accept();
  client.send("before");
  REQUIRE(upstream.read(6) == "before");
  {
    Tracer tracer{penstock.program().id(), {"-e", "inject=recvfrom:error=EAGAIN:when=1..4"}};
    client.send("and after");
    wait_until("the read was refused", [&] { return tracer.injected() > 0; });
  }
  CHECK(upstream.read(9) == "and after");
  penstock.wait_for_metric("penstock_stalls_detected_total", {}, 1);
  wait_until("the log tells it", [&] {
    return penstock.program().errors().find("stalled: nothing moved to the upstream") !=
           std::string::npos;
  });
  CHECK(penstock.program().errors().find("client ready (in") != std::string::npos);
  client.close();
  upstream.close();
}
