// More bytes than 32 bits can count, through one connection.

#include "catch.hpp"
#include "e2e/origin.hpp"
#include "e2e/payload.hpp"
#include "e2e/penstock.hpp"

using namespace penstock::e2e;

namespace {

constexpr std::uint64_t total = std::uint64_t{5} << 30;
constexpr std::size_t piece_bytes = 1 << 20;

std::string_view piece(std::uint64_t index) {
  return payload(index + run_seed(), piece_bytes);
}

void send_all(Peer& upstream) {
  for (std::uint64_t i = 0; i * piece_bytes < total; ++i) upstream.send(piece(i));
  upstream.finish_sending();
}

}  // namespace

TEST_CASE("5 GiB through one connection arrive unchanged and are counted", "[bytes][full]") {
  INFO("PENSTOCK_SEED=" << run_seed());
  for (const char* engine : {"engine: adaptive", "engine: copy"}) {
    Origin origin;
    Penstock penstock{{.endpoints = {origin.address()}, .relay = engine}};
    Peer client = penstock.client();
    Peer upstream = origin.accept();
    std::thread sender{[&] { send_all(upstream); }};
    std::uint64_t wrong = 0;
    for (std::uint64_t i = 0; i * piece_bytes < total; ++i)
      wrong += client.read(piece_bytes) != piece(i) ? 1 : 0;
    const std::string rest = client.read_to_end();
    sender.join();
    CHECK(wrong == 0);
    CHECK(rest.empty());
    client.finish_sending();
    const Record record = penstock.record_of(client);
    CHECK(number_of(record, "bytes_to_client") == total);
    CHECK(penstock.metrics().sum("penstock_bytes_total", {{"direction", "to_client"}}) ==
          static_cast<double>(total));
    penstock.stop();
  }
}
