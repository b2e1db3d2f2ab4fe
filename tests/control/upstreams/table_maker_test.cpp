#include "control/upstreams/table_maker.hpp"

#include <boost/asio/io_context.hpp>
#include <string>
#include <thread>

#include "catch.hpp"
#include "io/alarm.hpp"
#include "io/work.hpp"

namespace penstock::control {

namespace {

using upstream::Balance;

std::vector<upstream::EndpointSpec> many(std::size_t count) {
  std::vector<upstream::EndpointSpec> endpoints(count);
  for (std::size_t i = 0; i < count; ++i) endpoints[i].identity = std::to_string(i);
  return endpoints;
}

constexpr std::size_t too_many = 656;  // for the smallest table

struct Maker {
  io::OwnedIo io = io::make_io();
  std::vector<std::size_t> sizes;  // of the tables that came
  std::thread::id thread;
  std::unique_ptr<TableMaker> tables =
      std::make_unique<TableMaker>(*io, [this] { thread = std::this_thread::get_id(); });

  void make(Balance balance, std::size_t endpoints) {
    tables->make(balance, many(endpoints), [this](auto made) {
      REQUIRE(made != nullptr);
      sizes.push_back(made->empty() ? 0 : made->front().second.size());
    });
  }
  // Something else has to be waited for, or the loop ends.
  void run_until(std::size_t answers) {
    io::Alarm alarm{*io};
    alarm.set(std::chrono::hours{1}, [] {});
    for (int i = 0; i < 100 && sizes.size() < answers; ++i)
      io::run_one_call(*io, std::chrono::milliseconds{100});
    REQUIRE(sizes.size() == answers);
  }
};

}  // namespace

TEST_CASE("quick tables are made at once, without a thread", "[control]") {
  Maker maker;
  maker.make(Balance::round_robin, base::endpoints_max);
  maker.make(Balance::source_hash, base::endpoints_max);
  maker.make(Balance::maglev, too_many - 1);
  CHECK(maker.sizes == std::vector<std::size_t>{0, base::endpoints_max, 65'537});
  CHECK(maker.thread == std::thread::id{});
}

TEST_CASE("large tables are made on a thread of their own", "[control]") {
  Maker maker;
  maker.make(Balance::maglev, too_many);
  CHECK(maker.sizes.empty());
  maker.run_until(1);
  CHECK(maker.sizes.back() == 655'373);
  CHECK(maker.thread != std::thread::id{});
  CHECK(maker.thread != std::this_thread::get_id());
}

TEST_CASE("no tables come after the maker's end", "[control]") {
  Maker maker;
  maker.make(Balance::maglev, too_many);
  maker.tables = nullptr;  // which waits for what it is at
  io::run_one_call(*maker.io, std::chrono::milliseconds{100});
  CHECK(maker.sizes.empty());
}

}  // namespace penstock::control
