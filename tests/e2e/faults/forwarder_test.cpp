// H1 and H6: one forwarder with an elephant and a thousand mice; one whose thread is blocked.

#include <fmt/format.h>

#include <algorithm>

#include "catch.hpp"
#include "e2e/faults/mice.hpp"
#include "e2e/faults/scenario.hpp"
#include "e2e/faults/tracer.hpp"
#include "e2e/origin.hpp"
#include "e2e/penstock.hpp"

using namespace penstock::e2e;

namespace {

std::size_t mice_count() {
  return is_sanitized() ? 200 : 1000;
}
constexpr std::size_t mice_rounds = 10;

// The watchdog's sentences about forwarder 0 so far.
std::size_t warnings(Penstock& penstock) {
  const std::string errors = penstock.program().errors();
  std::size_t count = 0;
  const std::string words = "for one round of its loop";
  for (auto at = errors.find(words); at != errors.npos; at = errors.find(words, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("H1 one elephant and a thousand mice on one forwarder", "[faults][h][sanitize]") {
  Scenario scenario{"H1", "1000 mice on one forwarder, alone and beside an elephant",
                    "every mouse is served, every byte is right, and the elephant goes on"};
  Origin origin;
  Penstock penstock{
      {.endpoints = {origin.address()}, .runtime = "forwarders: 1, drain: {timeout: 5s}"}};
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  const auto run = [&] {
    return run_mice(penstock.address(), origin.descriptor(), mice_count(), mice_rounds);
  };
  const Mice alone = run();
  Peer client = penstock.client();
  Elephant elephant{std::move(client), origin.accept()};
  wait_until("the elephant walks", [&] { return elephant.delivered() > 0; });
  const auto before = elephant.delivered();
  const Mice beside = run();
  const auto after = elephant.delivered();
  CHECK(after > before);
  wait_until("the elephant goes on", [&] { return elephant.delivered() > after; });
  const auto total = elephant.stop();
  scenario.delivered(Way::to_client, beside.sent, beside.received);
  CHECK(alone.sent == alone.received);
  scenario.verdict("each mouse", Ending::fin);
  penstock.wait_until_rest();
  scenario.settle();
  scenario.saw(fmt::format(
      "{} mice, {} exchanges each, all served; p50 / p99 alone {:.1f} / {:.1f} ms, beside the "
      "elephant {:.1f} / {:.1f} ms; it moved {} MB meanwhile, {} MB in all, each byte compared",
      mice_count(), mice_rounds, alone.p50_ms, alone.p99_ms, beside.p50_ms, beside.p99_ms,
      (after - before) / 1'000'000, total / 1'000'000));
}

TEST_CASE("H6 a blocked forwarder is named", "[faults][h]") {
  constexpr const char* delay = "inject=splice:delay_enter=2500000:when=1";
  Scenario scenario{"H6", "one `splice` of a forwarder takes 2.5 s (strace)",
                    "a line in the log and `penstock_forwarder_blocked_total`; the bytes arrive"};
  if (!can_trace()) {
    WARN("skipped: there is no right to trace");
    return;
  }
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()},
                     .relay = "engine: splice",
                     .runtime = "forwarders: 1, drain: {timeout: 5s}"}};
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  Peer client = penstock.client();
  Peer upstream = origin.accept();
  const Labels forwarder{{"forwarder", "0"}};
  const char* metric = "penstock_forwarder_blocked_total";
  Tracer tracer{penstock.program().id(), {"-e", "trace=splice", "-e", delay}};
  const double before = penstock.metrics().sum(metric, forwarder);
  const std::size_t told = warnings(penstock);
  const auto begin = Clock::now();
  client.send("held up");
  wait_until("the watchdog speaks", [&] { return warnings(penstock) > told; });
  const auto detected = std::chrono::duration_cast<Milliseconds>(Clock::now() - begin).count();
  scenario.delivered(Way::to_upstream, "held up", upstream.read(7));
  penstock.wait_for_metric(metric, forwarder, before + 1);
  CHECK(tracer.injected() == 1);
  tracer.detach();
  client.finish_sending();
  upstream.finish_sending();
  scenario.verdict("client", client.receive_all().ending);
  penstock.wait_until_rest();
  scenario.settle();
  const std::string errors = penstock.program().errors();
  const auto at = errors.find("forwarder 0 ");
  REQUIRE(at != errors.npos);
  scenario.saw(fmt::format("after {} ms: `{}...`; blocked_total {} -> {}", detected,
                           errors.substr(at, errors.find(" for one round", at) - at), before,
                           penstock.metrics().sum(metric, forwarder)));
}
