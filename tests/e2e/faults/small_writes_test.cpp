// A15: a request in several small writes, as PostgreSQL's extended protocol sends it.

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "catch.hpp"
#include "e2e/faults/scenario.hpp"
#include "e2e/penstock.hpp"
#include "e2e/postgres.hpp"

using namespace penstock::e2e;

namespace {

constexpr std::size_t transactions = 400;

// Of each transaction, in microseconds: the third column of pgbench's log.
std::vector<double> transaction_times(const std::string& address) {
  const TemporaryFolder folder;
  const Finished run = with_database(address, {"pgbench", "-n", "-S", "-M", "extended", "-c", "1",
                                               "-t", std::to_string(transactions), "-l",
                                               "--log-prefix", folder.path("times"), "postgres"});
  INFO(run.output << run.errors);
  CHECK(run.exit_code == 0);
  CHECK(run.output.find("number of failed transactions: 0") != std::string::npos);
  std::vector<double> times;
  for (const auto& entry : std::filesystem::directory_iterator{folder.path()}) {
    std::ifstream file{entry.path()};
    for (std::string line; std::getline(file, line);) {
      std::istringstream fields{line};
      double client = 0, transaction = 0, time = 0;
      if (fields >> client >> transaction >> time) times.push_back(time);
    }
  }
  return times;
}

double percentile(std::vector<double>& times, double share) {
  std::sort(times.begin(), times.end());
  return times.at(static_cast<std::size_t>(static_cast<double>(times.size() - 1) * share));
}

}  // namespace

TEST_CASE("A15 a request in several small writes", "[faults][a]") {
  if (no_postgres()) return;
  Scenario scenario{"A15", "requests in several small writes (pgbench -M extended)",
                    "every transaction succeeds; no delay of 40 ms is added"};
  Postgres postgres;
  const Finished made =
      with_database(postgres.address(), {"pgbench", "-i", "-q", "-s", "1", "postgres"});
  INFO(made.errors);
  REQUIRE(made.exit_code == 0);
  Penstock penstock{{.endpoints = {postgres.address()}}};
  scenario.watch(penstock.program(), {penstock.address(), postgres.address()});
  std::vector<double> direct;
  std::vector<double> proxied;
  for (int round = 0; round < 3; ++round) {
    for (const double time : transaction_times(postgres.address())) direct.push_back(time);
    for (const double time : transaction_times(penstock.address())) proxied.push_back(time);
  }
  CHECK(direct.size() == 3 * transactions);
  CHECK(proxied.size() == 3 * transactions);
  penstock.wait_until_rest();
  scenario.settle();
  for (const Record& record : penstock.records()) CHECK(text_of(record, "reason") == "complete");
  scenario.saw(fmt::format(
      "{} transactions, 0 failed; against direct: {:.2f} times at the median, {:.2f} at the 99th "
      "percentile; {} took 40 ms or longer ({} direct)",
      proxied.size(), percentile(proxied, 0.5) / percentile(direct, 0.5),
      percentile(proxied, 0.99) / percentile(direct, 0.99),
      std::count_if(proxied.begin(), proxied.end(), [](double time) { return time >= 40'000; }),
      std::count_if(direct.begin(), direct.end(), [](double time) { return time >= 40'000; })));
}
