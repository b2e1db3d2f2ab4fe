// B1 to B3: one side, or both, finish while bytes are still to come.

#include <fmt/format.h>

#include <future>

#include "catch.hpp"
#include "e2e/faults/scenario.hpp"
#include "e2e/origin.hpp"
#include "e2e/payload.hpp"
#include "e2e/penstock.hpp"

using namespace penstock::e2e;

namespace {

std::size_t half_of_answer() {
  return is_sanitized() ? std::size_t{2} << 20 : payload_bytes_max;
}
std::uint64_t exchanges() {
  return is_sanitized() ? 5 : 20;
}

const char* const engines[] = {"adaptive", "splice", "copy"};

Plan plan_with(const Origin& origin, const char* engine) {
  return {.endpoints = {origin.address()}, .relay = std::string{"engine: "} + engine};
}

std::future<void> send_and_finish(Peer& peer, std::string_view bytes) {
  return std::async(std::launch::async, [&peer, bytes] {
    peer.send(bytes);
    peer.finish_sending();
  });
}

// `first` asks and finishes; `second` has seen the end before it pours its answer.
Received pour_after_fin(Peer& first, Peer& second, std::string_view answer) {
  first.send("question");
  first.finish_sending();
  REQUIRE(second.read_to_end() == "question");
  const auto sending = send_and_finish(second, answer);
  return first.receive_all(60s);
}

void half_closed_first(Scenario& scenario, bool client_first) {
  const std::string answer =
      std::string{payload(1, half_of_answer())} + std::string{payload(2, half_of_answer())};
  for (const char* engine : engines) {
    Origin origin;
    Penstock penstock{plan_with(origin, engine)};
    scenario.watch(penstock.program(), {penstock.address(), origin.address()});
    Peer client = penstock.client();
    Peer upstream = origin.accept();
    Peer& first = client_first ? client : upstream;
    Peer& second = client_first ? upstream : client;
    const Received got = pour_after_fin(first, second, answer);
    scenario.delivered(client_first ? Way::to_client : Way::to_upstream, answer, got.bytes);
    scenario.verdict(client_first ? "client" : "upstream", got.ending);
    CHECK(got.ending == Ending::fin);
    scenario.saw(fmt::format("{}: {} of {} bytes after the half-close, {}", engine,
                             got.bytes.size(), answer.size(), name_of(got.ending)));
    CHECK(text_of(penstock.record_of(client), "reason") == "complete");
    penstock.wait_until_rest();
    scenario.settle();
  }
}

struct Exchanged {
  Received at_client;
  Received at_upstream;
};

// Both speak and finish at the same time.
Exchanged exchange(Peer& client, Peer& upstream, std::string_view up, std::string_view down) {
  const auto sending_up = send_and_finish(client, up);
  const auto sending_down = send_and_finish(upstream, down);
  auto receiving = std::async(std::launch::async, [&] { return upstream.receive_all(60s); });
  Received at_client = client.receive_all(60s);
  return {.at_client = std::move(at_client), .at_upstream = receiving.get()};
}

}  // namespace

TEST_CASE("B1 a client that finishes, and an upstream that answers 100 MB",
          "[faults][b][sanitize]") {
  Scenario scenario{"B1", "the client finishes; then the upstream sends 100 MB",
                    "every byte, then FIN"};
  half_closed_first(scenario, true);
}

TEST_CASE("B2 an upstream that finishes, and a client that uploads 100 MB",
          "[faults][b][sanitize]") {
  Scenario scenario{"B2", "the upstream finishes; then the client sends 100 MB",
                    "every byte, then FIN"};
  half_closed_first(scenario, false);
}

TEST_CASE("B3 FIN from both sides while bytes fly in both directions", "[faults][b][sanitize]") {
  Scenario scenario{"B3", "both sides send 1 MB and finish, at the same time",
                    "both directions complete, FIN on both sides"};
  int complete = 0;
  int directions = 0;
  for (const char* engine : engines) {
    Origin origin;
    Penstock penstock{plan_with(origin, engine)};
    scenario.watch(penstock.program(), {penstock.address(), origin.address()});
    for (std::uint64_t i = 0; i < exchanges(); ++i) {
      const auto up = payload(i * 2, 1'000'000);
      const auto down = payload(i * 2 + 1, 1'000'000);
      Peer client = penstock.client();
      Peer upstream = origin.accept();
      const auto [at_client, at_upstream] = exchange(client, upstream, up, down);
      directions += 2;
      complete += (at_upstream.ending == Ending::fin && at_upstream.bytes == up) +
                  (at_client.ending == Ending::fin && at_client.bytes == down);
      if (i > 0) continue;
      scenario.delivered(Way::to_upstream, up, at_upstream.bytes);
      scenario.delivered(Way::to_client, down, at_client.bytes);
      scenario.verdict("upstream", at_upstream.ending);
      scenario.verdict("client", at_client.ending);
    }
    penstock.wait_for_records(exchanges());
    for (const Record& record : penstock.records()) CHECK(text_of(record, "reason") == "complete");
    penstock.wait_until_rest();
    scenario.settle();
  }
  CHECK(complete == directions);
  scenario.saw(
      fmt::format("{} of {} directions complete, over every engine", complete, directions));
}
