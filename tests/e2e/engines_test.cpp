// Engines beside the usual two: what is told of them, and what becomes of them where the kernel
// does not have them. That they carry every byte is what e2e_uring and e2e_zerocopy show: the cases
// of other themes, run once more (tests/e2e/CMakeLists.txt).

#include <boost/json/array.hpp>

#include "catch.hpp"
#include "e2e/origin.hpp"
#include "e2e/payload.hpp"
#include "e2e/penstock.hpp"
#include "e2e/servers.hpp"

using namespace penstock::e2e;

namespace {

std::string engines_of(const Record& record, const std::string& key) {
  std::string words;
  for (const auto& word : record.at(key).as_array())
    words += (words.empty() ? "" : " ") + std::string{word.as_string()};
  return words;
}

std::size_t count_of(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

// One exchange of `bytes`, both ways, until both ends have finished.
void exchange(const Penstock& penstock, std::size_t bytes, int times = 1) {
  Peer client = penstock.client();
  const std::string text(bytes, 'x');
  for (int i = 0; i < times; ++i) {
    client.send(text);
    REQUIRE(client.read(bytes) == text);
  }
  client.finish_sending();
  client.read_to_end();
}

}  // namespace

TEST_CASE("small messages go by the ring, large ones are spliced, and the log tells", "[engines]") {
  Origin origin;
  origin.serve(echo);
  Penstock penstock{
      {.endpoints = {origin.address()}, .relay = "engine: uring", .runtime = "forwarders: 2"}};
  exchange(penstock, 100);
  penstock.wait_for_records(1);
  CHECK(engines_of(penstock.records().at(0), "relay_to_client") == "ring");
  exchange(penstock, 1'000'000);
  penstock.wait_for_records(2);
  CHECK(engines_of(penstock.records().at(1), "relay_to_client") == "splice ring");
  CHECK(penstock.metrics().sum("penstock_forwarder_ring") == 2);
  CHECK(penstock.metrics().sum("penstock_relay_bytes_total", {{"engine", "ring"}}) >= 200);
  CHECK(penstock.metrics().sum("penstock_relay_bytes_total", {{"engine", "copy"}}) == 0);
}

TEST_CASE("where io_uring is refused penstock runs on epoll, and says so once", "[engines]") {
  Origin origin;
  origin.serve(echo);
  Plan plan{.endpoints = {origin.address()}, .relay = "engine: uring", .runtime = "forwarders: 2"};
  plan.program.no_io_uring = true;
  Penstock penstock{std::move(plan)};
  const std::string line =
      "the kernel refused io_uring to 2 of 2 forwarders (Operation not permitted): they run on "
      "epoll";
  wait_until("the log speaks of it",
             [&] { return penstock.program().errors().find(line) != std::string::npos; });
  exchange(penstock, 100);
  penstock.wait_for_records(1);
  CHECK(engines_of(penstock.records().at(0), "relay_to_client") == "copy");
  CHECK(penstock.metrics().sum("penstock_forwarder_ring") == 0);
  penstock.stop();
  CHECK(count_of(penstock.program().errors(), "refused io_uring") == 1);
}

TEST_CASE("sends without a copy are counted by what the kernel did", "[engines]") {
  Origin origin;
  origin.serve(echo);
  Penstock penstock{{.endpoints = {origin.address()}, .relay = "engine: zerocopy"}};
  exchange(penstock, 50'000, 20);
  penstock.wait_for_records(1);
  CHECK(engines_of(penstock.records().at(0), "relay_to_client").starts_with("zerocopy"));
  // Loopback copies after all, and penstock does as it was told.
  CHECK(penstock.metrics().sum("penstock_zerocopy_sends_total", {{"result", "copied"}}) > 0);
  CHECK(penstock.metrics().sum("penstock_zerocopy_sends_total", {{"result", "not_copied"}}) == 0);
  CHECK(penstock.metrics().sum("penstock_relay_engine_switches_total",
                               {{"reason", "kernel_copied"}}) == 0);
}

TEST_CASE("without pipes the adaptive policy tries MSG_ZEROCOPY once per path", "[engines]") {
  Origin origin;
  origin.serve(echo);
  Penstock penstock{{.endpoints = {origin.address()},
                     .relay = "max_pipes: 0, engine: adaptive",
                     .runtime = "forwarders: 1"}};
  exchange(penstock, 60'000, 20);
  const auto left = [&] {
    return penstock.metrics().sum("penstock_relay_engine_switches_total",
                                  {{"reason", "kernel_copied"}});
  };
  CHECK(left() == 1);  // client and endpoint are one host here
  exchange(penstock, 60'000, 20);
  penstock.wait_for_records(2);
  CHECK(left() == 1);
  CHECK(engines_of(penstock.records().at(1), "relay_to_client") == "copy");
}
