// B8: bytes are lost on the way and their FIN is not, so that it comes out of order.

#include <fmt/format.h>

#include <cstring>
#include <vector>

#include "catch.hpp"
#include "e2e/faults/kernel_counter.hpp"
#include "e2e/faults/scenario.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/payload.hpp"
#include "e2e/penstock.hpp"

using namespace penstock::e2e;

namespace {

constexpr std::uint64_t count = 50;
constexpr std::size_t lost_answer_bytes = 20'000;

// Loses every third segment that carries PSH, as every last one of a write does, sent again or
// not. FIN alone bears none.
std::string loss(const char* side, const std::string& address) {
  return fmt::format(
      "INPUT -p tcp {} {} --tcp-flags PSH PSH -m statistic --mode nth --every 3 --packet 0 -j DROP",
      side, port_of(address));
}

std::string question_of(std::uint64_t number) {
  std::string text(sizeof number, '\0');
  std::memcpy(text.data(), &number, sizeof number);
  return text.append(payload(number, 3000));
}

std::uint64_t number_in(const std::string& question) {
  REQUIRE(question.size() > sizeof(std::uint64_t));
  std::uint64_t number = 0;
  std::memcpy(&number, question.data(), sizeof number);
  return number;
}

}  // namespace

TEST_CASE("B8 FIN comes before the bytes that were lost", "[faults][b]") {
  if (!can_drop_packets()) {
    WARN("skipped: it takes iptables in a network of our own to lose segments");
    return;
  }
  Scenario scenario{"B8", "every third segment with PSH is lost, on both hops and both ways",
                    "no early close: every byte, then FIN"};
  for (const char* engine : {"splice", "adaptive", "copy"}) {
    Origin origin;
    Penstock penstock{{.endpoints = {origin.address()}, .relay = std::string{"engine: "} + engine}};
    scenario.watch(penstock.program(), {penstock.address(), origin.address()});
    const PacketRule to_proxy{loss("--dport", penstock.address())};
    const PacketRule from_proxy{loss("--sport", penstock.address())};
    const PacketRule to_origin{loss("--dport", origin.address())};
    const PacketRule from_origin{loss("--sport", origin.address())};
    const std::uint64_t out_of_order = kernel_counter("TcpExtTCPOFOQueue");
    std::vector<Peer> clients;
    for (std::uint64_t number = 0; number < count; ++number) {
      clients.push_back(penstock.client());
      clients.back().send(question_of(number));
      clients.back().finish_sending();
    }
    std::vector<Peer> upstreams;
    for (std::uint64_t i = 0; i < count; ++i) {
      upstreams.push_back(origin.accept());
      const std::string question = upstreams.back().read_to_end();
      const std::uint64_t number = number_in(question);
      REQUIRE(question == question_of(number));
      upstreams.back().send(payload(count + number, lost_answer_bytes));
      upstreams.back().finish_sending();
    }
    std::size_t whole = 0;
    for (std::uint64_t number = 0; number < count; ++number) {
      const Received got = clients[number].receive_all(60s);
      const auto answer = payload(count + number, lost_answer_bytes);
      whole += got.ending == Ending::fin && got.bytes == answer;
      if (number == 0) scenario.delivered(Way::to_client, answer, got.bytes);
    }
    CHECK(whole == count);
    const std::size_t lost =
        to_proxy.packets() + from_proxy.packets() + to_origin.packets() + from_origin.packets();
    const std::uint64_t queued = kernel_counter("TcpExtTCPOFOQueue") - out_of_order;
    CHECK(lost >= count);
    CHECK(queued >= count / 2);
    penstock.wait_for_records(count);
    for (const Record& record : penstock.records()) CHECK(text_of(record, "reason") == "complete");
    penstock.wait_until_rest();
    scenario.settle();
    scenario.saw(fmt::format("{}: {} of {} exchanges whole, {} segments lost, {} came out of order",
                             engine, whole, count, lost, queued));
  }
}
