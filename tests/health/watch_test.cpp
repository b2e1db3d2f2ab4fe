#include "health/watch.hpp"

#include <sys/resource.h>

#include <boost/asio/io_context.hpp>
#include <deque>
#include <map>

#include "catch.hpp"
#include "health/peer.hpp"
#include "os/process.hpp"
#include "upstream/live_record.hpp"

using namespace penstock;
using health::HealthWatch;
using testing::Peer;
using upstream::CheckResult;
using upstream::Health;
using upstream::HealthSpec;
using upstream::LiveRecord;

namespace {

constexpr std::chrono::milliseconds beat{20};

HealthSpec quick_spec() {
  HealthSpec spec;
  spec.interval = beat;
  spec.timeout = std::chrono::seconds{4};
  return spec;
}

// A watch whose reports are kept, on an io_context that runs until a fact holds.
class Rig {
 public:
  bool await(const std::function<bool()>& fact) {
    const auto deadline = os::now() + std::chrono::milliseconds{testing::patience_milliseconds};
    while (!fact()) {
      if (os::now() > deadline) return false;
      io.restart();
      io.run_one_for(std::chrono::milliseconds{10});
    }
    return true;
  }
  // Until every check that can be under way has ended.
  void let_pass(int checks_of, const LiveRecord& other) {
    const int before = checks[&other];
    REQUIRE(await([&] { return checks[&other] >= before + checks_of; }));
  }
  LiveRecord& endpoint(const os::SocketAddress& address) {
    return records.emplace_back(++last_number, "web", address.to_string(), address);
  }
  std::string last_words(const LiveRecord& record) {
    return judgements[&record].empty() ? "nothing" : judgements[&record].back();
  }

  boost::asio::io_context io;
  std::uint32_t last_number = 0;
  std::deque<LiveRecord> records;
  std::map<const LiveRecord*, int> checks;
  std::map<const LiveRecord*, CheckResult> results;
  std::map<const LiveRecord*, std::vector<std::string>> judgements;
  std::function<void(LiveRecord&)> when_checked;
  HealthWatch watch{io,
                    {[this](LiveRecord& record, CheckResult result) {
                       ++checks[&record];
                       results[&record] = result;
                       if (when_checked) when_checked(record);
                     },
                     [this](LiveRecord& record, Health health, const std::string& why) {
                       std::string words{upstream::health_names[health]};
                       judgements[&record].push_back(words.append(": ").append(why));
                     }},
                    42};
};

// No descriptor can be opened while it lives.
class WithoutDescriptors {
 public:
  WithoutDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit none = before_;
    none.rlim_cur = 0;
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  WithoutDescriptors(const WithoutDescriptors&) = delete;
  WithoutDescriptors& operator=(const WithoutDescriptors&) = delete;
  ~WithoutDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

// Answers a GET with 200 while it is well, else with 503.
class Site {
 public:
  const os::SocketAddress& address() const { return peer_.address(); }
  void set_well(bool well) { well_ = well; }

 private:
  std::atomic<bool> well_{true};
  Peer peer_{[this](int socket) {
    testing::read_until(socket, "\r\n\r\n");
    testing::send_all(socket, well_ ? "HTTP/1.1 200 OK\r\n\r\n" : "HTTP/1.1 503 Ill\r\n\r\n");
  }};
};

HealthSpec http_spec() {
  HealthSpec spec = quick_spec();
  spec.type = upstream::CheckType::http;
  return spec;
}

}  // namespace

TEST_CASE("the first check of an endpoint decides what it is", "[health]") {
  const os::Fd listener = testing::listen_at(testing::loopback_v4());
  Rig rig;
  LiveRecord& good = rig.endpoint(testing::address_of(listener.get()));
  LiveRecord& bad = rig.endpoint(testing::refusing_address());
  rig.watch.follow("web", quick_spec(), {&good, &bad});
  REQUIRE(rig.await([&] { return rig.checks[&good] > 0 && rig.checks[&bad] > 0; }));
  CHECK(rig.last_words(good) == "up: connected");
  CHECK(rig.last_words(bad) == "down: connection refused");
}

TEST_CASE("an endpoint that discovery brought is unknown until `fall` checks have failed",
          "[health]") {
  Rig rig;
  LiveRecord& found = rig.endpoint(testing::refusing_address());
  found.control.was_found = true;
  HealthSpec spec = quick_spec();
  spec.fall = 3;
  rig.watch.follow("web", spec, {&found});
  REQUIRE(rig.await([&] { return rig.last_words(found) == "down: connection refused"; }));
  CHECK(rig.checks[&found] == 3);
}

TEST_CASE("an endpoint goes down after `fall` failures and up again after `rise` passes",
          "[health]") {
  Site site;
  Rig rig;
  LiveRecord& record = rig.endpoint(site.address());
  rig.watch.follow("web", http_spec(), {&record});
  REQUIRE(rig.await([&] { return rig.judgements[&record].size() == 1; }));
  site.set_well(false);
  REQUIRE(rig.await([&] { return rig.results[&record] == CheckResult::wrong_answer; }));
  const int first_failure = rig.checks[&record];
  REQUIRE(rig.await([&] { return rig.judgements[&record].size() == 2; }));
  CHECK(rig.checks[&record] == first_failure + 2);
  CHECK(rig.last_words(record) == "down: HTTP status 503");
  site.set_well(true);
  REQUIRE(rig.await([&] { return rig.results[&record] == CheckResult::passed; }));
  const int first_pass = rig.checks[&record];
  REQUIRE(rig.await([&] { return rig.judgements[&record].size() == 3; }));
  CHECK(rig.checks[&record] == first_pass + 1);
  CHECK(rig.last_words(record) == "up: HTTP status 200");
}

TEST_CASE("an endpoint that stays keeps what is known of it", "[health]") {
  Site site;
  Site other;
  Rig rig;
  LiveRecord& stays = rig.endpoint(site.address());
  LiveRecord& joins = rig.endpoint(other.address());
  rig.watch.follow("web", http_spec(), {&stays});
  REQUIRE(rig.await([&] { return rig.judgements[&stays].size() == 1; }));
  rig.watch.follow("web", http_spec(), {&joins, &stays});
  HealthSpec another = http_spec();
  another.path = "/other";
  rig.watch.follow("web", another, {&stays, &joins});
  rig.let_pass(3, stays);
  CHECK(rig.judgements[&stays].size() == 1);
  CHECK(rig.last_words(joins) == "up: HTTP status 200");
}

TEST_CASE("a specification that has changed holds from the next check on", "[health]") {
  Site site;
  site.set_well(false);
  Rig rig;
  LiveRecord& record = rig.endpoint(site.address());
  HealthSpec rare = http_spec();
  rare.interval = std::chrono::hours{1};
  rig.watch.follow("web", rare, {&record});
  REQUIRE(rig.await([&] { return rig.judgements[&record].size() == 1; }));
  // Nobody waits for the rest of the hour.
  HealthSpec content = http_spec();
  content.status = {{503, 503}};
  rig.watch.follow("web", content, {&record});
  REQUIRE(rig.await([&] { return rig.judgements[&record].size() == 2; }));
  CHECK(rig.last_words(record) == "up: HTTP status 503");
}

TEST_CASE("of an endpoint that is gone nothing is heard, not even of a check under way",
          "[health]") {
  const os::Fd listener = testing::listen_at(testing::loopback_v4());
  Rig rig;
  auto gone = std::make_unique<LiveRecord>(1, "web", "gone", testing::address_of(listener.get()));
  LiveRecord& stays = rig.endpoint(testing::refusing_address());
  HealthSpec patient = http_spec();
  rig.watch.follow("web", patient, {gone.get()});
  rig.watch.follow("api", quick_spec(), {&stays});
  // The check has connected and waits for an answer that does not come.
  os::Fd asked;
  REQUIRE(rig.await([&] {
    if (!asked && testing::await_events(listener.get(), POLLIN, 0))
      asked = testing::accept_one(listener.get());
    return asked && testing::await_events(asked.get(), POLLIN, 0);
  }));
  const LiveRecord* const remembered = gone.get();
  rig.watch.follow("web", patient, {});
  gone.reset();
  CHECK(testing::read_to_end(asked.get()).starts_with("GET / "));
  rig.let_pass(3, stays);
  CHECK(rig.checks.count(remembered) == 0);
}

TEST_CASE("without a specification nothing is checked", "[health]") {
  Rig rig;
  LiveRecord& record = rig.endpoint(testing::refusing_address());
  LiveRecord& other = rig.endpoint(testing::refusing_address());
  rig.watch.follow("api", quick_spec(), {&other});
  rig.watch.follow("web", quick_spec(), {&record});
  REQUIRE(rig.await([&] { return rig.checks[&record] > 0; }));
  rig.watch.follow("web", std::nullopt, {&record});
  const int before = rig.checks[&record];
  rig.let_pass(3, other);
  CHECK(rig.checks[&record] == before);
}

TEST_CASE("a report may change what is followed", "[health]") {
  Rig rig;
  LiveRecord& record = rig.endpoint(testing::refusing_address());
  LiveRecord& other = rig.endpoint(testing::refusing_address());
  rig.when_checked = [&](LiveRecord& checked) {
    if (&checked == &record) rig.watch.follow("web", quick_spec(), {&other});
  };
  rig.watch.follow("web", quick_spec(), {&record});
  rig.let_pass(3, other);
  CHECK(rig.checks[&record] == 1);
  CHECK(rig.judgements.count(&record) == 0);
}

TEST_CASE("what this machine lacks decides nothing, and ends no schedule", "[health]") {
  const os::Fd listener = testing::listen_at(testing::loopback_v4());
  Rig rig;
  LiveRecord& record = rig.endpoint(testing::address_of(listener.get()));
  HealthSpec spec = quick_spec();
  spec.fall = 1;
  rig.watch.follow("web", spec, {&record});
  REQUIRE(rig.await([&] { return rig.checks[&record] > 0; }));
  {
    const WithoutDescriptors starved;
    REQUIRE(rig.await([&] { return rig.results[&record] == CheckResult::local; }));
    rig.let_pass(2, record);
  }
  REQUIRE(rig.await([&] { return rig.results[&record] == CheckResult::passed; }));
  CHECK(rig.judgements[&record].size() == 1);
}

TEST_CASE("checks of one endpoint do not overlap, however long they take", "[health]") {
  const os::Fd listener = testing::listen_at(testing::loopback_v4());
  Rig rig;
  LiveRecord& silent = rig.endpoint(testing::address_of(listener.get()));
  LiveRecord& other = rig.endpoint(testing::refusing_address());
  rig.watch.follow("web", http_spec(), {&silent});
  rig.watch.follow("api", quick_spec(), {&other});
  rig.let_pass(5, other);
  const os::Fd asked = testing::accept_one(listener.get());
  CHECK_FALSE(testing::await_events(listener.get(), POLLIN, 0));
}

TEST_CASE("more checks than there are places wait in line and all have their turn", "[health]") {
  os::raise_descriptor_limit();
  // Nobody answers, so that every place is taken until the timeout.
  os::ListenOptions long_queue;
  long_queue.backlog = 4096;
  const os::Fd listener = *os::listen_on(testing::loopback_v4(), long_queue, {});
  Rig rig;
  HealthSpec spec = quick_spec();
  spec.type = upstream::CheckType::http;
  spec.timeout = std::chrono::milliseconds{300};
  std::vector<LiveRecord*> endpoints;
  const auto count = base::health_checks_max + 200;
  for (std::size_t i = 0; i < count; ++i)
    endpoints.push_back(&rig.endpoint(testing::address_of(listener.get())));
  spec.interval = std::chrono::milliseconds{10};  // all at once
  const auto before = os::process_usage().open_descriptors;
  auto most = before;
  int rounds = 0;
  rig.watch.follow("web", spec, endpoints);
  REQUIRE(rig.await([&] {
    if (++rounds % 50 == 0) most = std::max(most, os::process_usage().open_descriptors);
    return rig.checks.size() == count;
  }));
  const std::uint64_t of_the_loop = 3;  // epoll, its waker, its timer
  CHECK(most <= before + base::health_checks_max + of_the_loop);
}

TEST_CASE("a watch that ends leaves no check behind", "[health]") {
  const os::Fd listener = testing::listen_at(testing::loopback_v4());
  boost::asio::io_context io;
  LiveRecord record{1, "web", "silent", testing::address_of(listener.get())};
  int reports = 0;
  auto watch = std::make_unique<HealthWatch>(
      io,
      health::HealthReports{[&](LiveRecord&, CheckResult) { ++reports; },
                            [&](LiveRecord&, Health, const std::string&) { ++reports; }},
      1);
  watch->follow("web", http_spec(), {&record});
  while (!testing::await_events(listener.get(), POLLIN, 0)) io.run_one();
  watch.reset();
  io.run();  // returns: nobody waits any more
  CHECK(reports == 0);
}
