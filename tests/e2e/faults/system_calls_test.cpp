// What a short connection asks of the kernel, call by call, so that no call creeps in unseen. Calls
// of the loop that serve many connections at once (waits, wake-ups) depend on who comes together
// with whom, and are not counted.

#include <fmt/format.h>

#include <map>
#include <string>

#include "catch.hpp"
#include "e2e/faults/resources.hpp"
#include "e2e/faults/tracer.hpp"
#include "e2e/origin.hpp"
#include "e2e/penstock.hpp"

using namespace penstock::e2e;

namespace {

constexpr int connections = 64;  // a multiple of sixteen: so seldom samples are taken

// Calls of a thread in that many connections, each with a question, an answer and both FINs.
std::map<std::string, Tracer::Count> calls_of(const std::string& thread, Penstock& penstock) {
  Tracer tracer = Tracer::of_thread(thread_named(penstock.program().id(), thread), {"-c"});
  for (int i = 0; i < connections; ++i) {
    Peer client = penstock.client();
    client.send("question");
    REQUIRE(client.read(8) == "question");
    client.finish_sending();
    REQUIRE(client.receive_all().ending == Ending::fin);
  }
  penstock.wait_until_rest();
  return tracer.counts();
}

}  // namespace

TEST_CASE("a short connection makes the calls that move its bytes, and few others",
          "[faults][calls]") {
  if (!can_trace()) {
    WARN("skipped: strace cannot trace here");
    return;
  }
  Origin origin;  // its port may be one that sockets get by themselves
  origin.serve(echo);
  Penstock penstock{{.endpoints = {origin.address()},
                     .relay = "engine: adaptive",
                     .runtime = "forwarders: 1, acceptors: 1",
                     .access = "off"}};
  auto calls = calls_of("forwarder-0", penstock);
  const auto each = [&](const std::string& name, std::size_t most) {
    INFO(name);
    CHECK(calls[name].calls <= most * connections);
    calls.erase(name);
  };
  each("socket", 1);
  each("connect", 1);
  each("setsockopt", 1);  // SO_OOBINLINE, before a byte can come
  each("epoll_ctl", 2);
  each("recvfrom", 4);  // question, answer, two FINs
  each("sendto", 2);
  each("shutdown", 1);
  each("close", 2);
  each("getsockname", 1);  // of a port that the kernel may have chosen
  // Of one in sixteen: TCP_INFO of both, and where its packets come in.
  CHECK(calls["getsockopt"].calls <= connections / 4);
  for (const char* name : {"getsockopt", "epoll_wait", "write"}) calls.erase(name);
  for (const auto& [name, count] : calls)
    CHECK(fmt::format("{} {}", count.calls, name) == "none of it");
}
