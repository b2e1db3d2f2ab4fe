// Every limit has a stated answer: never a crash, a hang or a spin.

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "catch.hpp"
#include "e2e/origin.hpp"
#include "e2e/payload.hpp"
#include "e2e/penstock.hpp"
#include "e2e/talkers.hpp"

using namespace penstock::e2e;

namespace {

void limit_descriptors(const Program& program, std::size_t limit) {
  const rlimit now{limit, 20'000};
  REQUIRE(::prlimit(program.id(), RLIMIT_NOFILE, &now, nullptr) == 0);
}

// The limit is one of numbers: below it only what is free now can be opened.
std::size_t first_free_descriptor(const Program& program) {
  const std::filesystem::path open = "/proc/" + std::to_string(program.id()) + "/fd";
  std::size_t number = 0;
  while (std::filesystem::is_symlink(open / std::to_string(number))) ++number;
  return number;
}

// How often the threads whose name begins so have read or written: a bell that rings is both.
std::uint64_t reads_and_writes_of(const Program& program, const std::string& name) {
  std::uint64_t calls = 0;
  const std::filesystem::path tasks = "/proc/" + std::to_string(program.id()) + "/task";
  for (const auto& task : std::filesystem::directory_iterator{tasks}) {
    std::string its_name;
    std::ifstream{task.path() / "comm"} >> its_name;
    if (!its_name.starts_with(name)) continue;
    std::ifstream io{task.path() / "io"};
    std::uint64_t value = 0;
    for (std::string key; io >> key >> value;)
      if (key == "syscr:" || key == "syscw:") calls += value;
  }
  return calls;
}

// Of those that it has now, in bytes; 0 without one.
std::size_t largest_pipe(Penstock& penstock) {
  const std::filesystem::path open = "/proc/" + std::to_string(penstock.program().id()) + "/fd";
  std::size_t largest = 0;
  for (const auto& each : std::filesystem::directory_iterator{open}) {
    std::error_code closed_meanwhile;
    const auto name = std::filesystem::read_symlink(each, closed_meanwhile).string();
    if (!name.starts_with("pipe:")) continue;
    const int pipe = ::open(each.path().c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (pipe < 0) continue;
    largest = std::max(largest, static_cast<std::size_t>(::fcntl(pipe, F_GETPIPE_SZ)));
    ::close(pipe);
  }
  return largest;
}

}  // namespace

TEST_CASE("a connection above the listener's limit is accepted and reset", "[limits]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}, .listener = "max_connections: 2"}};
  Peer first = penstock.client();
  Peer second = penstock.client();
  Peer one = origin.accept();
  Peer two = origin.accept();
  for (int i = 0; i < 5; ++i) {
    Peer third = penstock.client();
    CHECK(third.receive_all().ending == Ending::reset);
  }
  penstock.wait_for_records(5);
  CHECK(text_of(penstock.records().at(0), "reason") == "connection_limit");
  CHECK(penstock.metrics().sum("penstock_connections_closed_total",
                               {{"reason", "connection_limit"}}) == 5);
  // A place that becomes free is given out again.
  first.close();
  for (Peer* peer : {&one, &two}) peer->close();
  second.close();
  penstock.wait_until_rest();
  Peer fourth = penstock.client();
  origin.accept().send("welcome");
  CHECK(fourth.read(7) == "welcome");
}

TEST_CASE("above runtime.max_connections clients wait and are served in their turn", "[limits]") {
  const std::string threads = GENERATE("forwarders: 1", "forwarders: 2, acceptors: 2");
  INFO(threads);
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}, .runtime = "max_connections: 2, " + threads}};
  Peer first = penstock.client();
  Peer one = origin.accept();
  Peer second = penstock.client();
  Peer two = origin.accept();
  Peer third = penstock.client();
  third.send("may I?");
  const double before = penstock.program().cpu_seconds();
  holds_for(1s, "the third one waits",
            [&] { return !origin.somebody_waits() && third.ending() == Ending::open; });
  CHECK(penstock.program().cpu_seconds() - before < 0.3);
  first.close();
  one.close();
  Peer three = origin.accept();
  CHECK(three.read(6) == "may I?");
}

TEST_CASE("a client that waits for a place is not reset by SIGTERM", "[limits]") {
  const std::string acceptors = GENERATE("1", "2");
  INFO("acceptors: " << acceptors);
  Origin origin;
  Penstock penstock{
      {.endpoints = {origin.address()}, .runtime = "max_connections: 1, acceptors: " + acceptors}};
  Peer first = penstock.client();
  Peer one = origin.accept();
  Peer second = penstock.client();
  second.send("may I?");
  penstock.program().signal(SIGTERM);
  // The first is idle and ends soon; its place is the second's.
  Peer two = origin.accept();
  CHECK(two.read(6) == "may I?");
  two.send("yes");
  two.close();
  CHECK(second.read_to_end() == "yes");
  second.close();
  penstock.expect_clean_end();
}

TEST_CASE("with few descriptors every one of many clients is served in the end", "[limits]") {
  const std::string threads = GENERATE("forwarders: 1", "forwarders: 2, acceptors: 2");
  for (const std::size_t descriptors : {48, 64, 200}) {
    INFO("descriptors: " << descriptors << ", " << threads);
    Origin origin;
    origin.serve(say("served"));
    Penstock penstock{{.endpoints = {origin.address()},
                       .runtime = threads,
                       .program = {.descriptors_max = descriptors}}};
    const std::size_t baseline = penstock.program().descriptors();
    std::vector<Peer> clients;
    for (int i = 0; i < 300; ++i) clients.push_back(penstock.client());
    const double before = penstock.program().cpu_seconds();
    holds_for(1s, "it runs", [&] { return penstock.program().running(); });
    CHECK(penstock.program().cpu_seconds() - before < 0.3);
    CHECK(penstock.program().descriptors() <= descriptors);
    for (Peer& client : clients) client.finish_sending();
    for (Peer& client : clients) REQUIRE(client.read_to_end() == "served");
    clients.clear();
    penstock.wait_until_rest();
    wait_until("all descriptors are given back", [&] {
      return penstock.program().descriptors() <= baseline + 16;  // pipes kept warm
    });
  }
}

// Work is counted, not time: while nothing comes and nothing goes nobody has a reason to ring.
TEST_CASE("acceptors that are out of descriptors do not wake each other", "[limits]") {
  Origin origin;
  origin.serve(echo);
  Penstock penstock{{.endpoints = {origin.address()}, .runtime = "forwarders: 2, acceptors: 2"}};
  Program& program = penstock.program();
  const std::size_t limit = program.descriptors() + 20;
  limit_descriptors(program, limit);
  std::vector<Peer> clients;
  for (int i = 0; i < 120; ++i) clients.push_back(penstock.client());
  wait_until("no descriptor is left", [&] { return program.descriptors() >= limit; });
  const std::uint64_t before = reads_and_writes_of(program, "acceptor-");
  holds_for(1s, "it runs", [&] { return program.running(); });
  CHECK(reads_and_writes_of(program, "acceptor-") - before < 300);
  limit_descriptors(program, 4096);
  for (Peer& client : clients) client.close();
}

TEST_CASE("the log names the reason overload where connections were reset for it", "[limits]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}}};
  // With one number left the client's socket has it, and the endpoint's finds none. A question to
  // the admin that ends meanwhile leaves another: then the client is served, and the next one
  // comes.
  std::vector<Peer> served;
  bool is_reset = false;
  for (int tries = 0; tries < 10 && !is_reset; ++tries) {
    limit_descriptors(penstock.program(), first_free_descriptor(penstock.program()) + 1);
    served.push_back(penstock.client());
    wait_until("it is served or reset", [&] {
      is_reset = served.back().ending() == Ending::reset;
      return is_reset || origin.somebody_waits();
    });
    if (!is_reset) served.push_back(origin.accept());
  }
  REQUIRE(is_reset);
  wait_until("it is said", [&] {
    return penstock.program().errors().find("reset with the reason overload") != std::string::npos;
  });
  limit_descriptors(penstock.program(), 4096);
}

TEST_CASE("the budget says beforehand how many connections fit, and so many do", "[limits]") {
  Origin origin;
  origin.serve(echo);
  Penstock penstock{{.endpoints = {origin.address()},
                     .runtime = "forwarders: 1",
                     .program = {.descriptors_max = 300}}};
  const Finished planned =
      run_program({penstock_binary(), "check", "--budget", "-c", penstock.config_file()},
                  {.descriptors_max = 300});
  REQUIRE(planned.exit_code == 0);
  const auto ask = [&] {
    return run_program({penstock_binary(), "ctl", "--admin", penstock.admin(), "--json", "budget"});
  };
  const auto told = boost::json::parse(ask().output);
  CHECK(told.at("connections_end_first") == "nofile");
  const auto room = told.at("connections_max").to_number<std::size_t>();
  const std::string sentence =
      "\nat most " + std::to_string(room) + " connections at once; nofile ends first\n";
  INFO(planned.output);
  CHECK(planned.output.find(sentence) != std::string::npos);
  CHECK(penstock.program().errors().find(" connections: nofile ends first") != std::string::npos);
  std::vector<Peer> clients;
  for (std::size_t i = 0; i < room + 20; ++i) clients.push_back(penstock.client());
  penstock.wait_for_metric("penstock_budget_used_ratio", {{"resource", "runtime.max_connections"}},
                           1);
  CHECK(penstock.metrics().sum("penstock_connections_active") == static_cast<double>(room));
  wait_until("both sockets of each are counted", [&] {
    return penstock.metrics().sum("penstock_budget_used_ratio", {{"resource", "nofile"}}) > 0.4;
  });
  clients.clear();
}

TEST_CASE("after a storm of connections every descriptor is given back", "[limits]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}, .relay = "max_pipes: 4"}};
  const std::size_t baseline = penstock.program().descriptors();
  for (std::uint64_t round = 0; round < 3; ++round)
    converse({.connect_to = penstock.address(),
              .origin = origin.descriptor(),
              .connections = 500,
              .bytes_max = 20'000,
              .seed = run_seed() + round});
  penstock.wait_for_records(1500);
  penstock.wait_until_rest();
  wait_until("only warm pipes are left",
             [&] { return penstock.program().descriptors() <= baseline + 4 * 2; });
  penstock.stop();
}

TEST_CASE("an access log that nobody reads stops neither traffic nor the end", "[limits]") {
  Origin origin;
  origin.serve(greet("x"));
  Penstock penstock{{.endpoints = {origin.address()}, .program = {.unread_output = true}}};
  const auto dropped = [&] {
    return penstock.metrics().sum("penstock_access_log_lines_dropped_total");
  };
  // The pipe holds 64 KiB and the queue 8192 lines: in the end lines must be dropped, and counted.
  std::size_t served = 0;
  wait_until(
      "lines are dropped",
      [&] {
        for (int i = 0; i < 500; ++i, ++served) {
          Peer client = penstock.client();
          client.finish_sending();
          REQUIRE(client.read_to_end() == "x");
        }
        return dropped() > 0;
      },
      60s);
  CHECK(served > 500);
  penstock.program().signal(SIGTERM);
  penstock.expect_clean_end();
}

TEST_CASE("a stream that fills its pipe gets one of up to 1 MiB, and gives it back when it rests",
          "[limits]") {
  Origin origin;
  Penstock penstock{
      {.endpoints = {origin.address()}, .relay = "engine: splice", .runtime = "forwarders: 1"}};
  Peer client = penstock.client();
  Peer upstream = origin.accept();
  const std::string piece(1 << 20, 'x');
  std::size_t largest = 0;
  std::thread sender;
  const auto pass = [&](int pieces) {
    sender = std::thread{[&, pieces] {
      for (int i = 0; i < pieces; ++i) upstream.send(piece);
    }};
    for (int i = 0; i < pieces; ++i) {
      CHECK(client.read(piece.size()) == piece);
      largest = std::max(largest, largest_pipe(penstock));
    }
    sender.join();
  };
  wait_until("a pipe of 1 MiB is used", [&] {
    pass(16);
    return largest == 1 << 20;
  });
  wait_until("it is closed", [&] { return largest_pipe(penstock) <= std::size_t{256} << 10; });
  pass(1);
  client.finish_sending();
  upstream.finish_sending();
  CHECK(client.read_to_end().empty());
  penstock.stop();
}

TEST_CASE("without a single pipe bytes go by copy", "[limits]") {
  Origin origin;
  Penstock penstock{
      {.endpoints = {origin.address()},
       .defaults = "send_buffer: 16KiB",  // targets that are often full keep their pipes
       .relay = "engine: splice, max_pipes: 1",
       .runtime = "forwarders: 1"}};
  converse({.connect_to = penstock.address(),
            .origin = origin.descriptor(),
            .connections = 50,
            .bytes_max = 256 * 1024,
            .seed = run_seed()});
  penstock.wait_for_records(50);
  CHECK(penstock.metrics().sum("penstock_relay_bytes_total", {{"engine", "copy"}}) > 0);
  CHECK(penstock.metrics().sum("penstock_pipe_fallbacks_total") > 0);
}
