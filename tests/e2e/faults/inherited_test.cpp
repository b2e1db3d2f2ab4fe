// D11 and D12: a start without standard descriptors, and with those of others.

#include <fcntl.h>
#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>

#include "catch.hpp"
#include "e2e/faults/scenario.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/penstock.hpp"
#include "e2e/talkers.hpp"

using namespace penstock::e2e;

namespace {

namespace fs = std::filesystem;

std::size_t connections() {
  return is_sanitized() ? 20 : 100;
}

// What each descriptor of the process is, by number: "/dev/null", "socket:[123]", ...
std::map<int, std::string> descriptors_of(const Program& program) {
  std::map<int, std::string> found;
  for (const auto& entry : fs::directory_iterator{fmt::format("/proc/{}/fd", program.id())}) {
    std::error_code error;
    const fs::path target = fs::read_symlink(entry.path(), error);
    if (!error) found[std::stoi(entry.path().filename())] = target;
  }
  return found;
}

bool is_close_on_exec(const Program& program, int descriptor) {
  std::ifstream file{fmt::format("/proc/{}/fdinfo/{}", program.id(), descriptor)};
  for (std::string word; file >> word;)
    if (word == "flags:") {
      file >> word;
      return (std::stoul(word, nullptr, 8) & O_CLOEXEC) != 0;
    }
  throw Failure{fmt::format("descriptor {} has no flags", descriptor)};
}

void serve_many(Penstock& penstock, Origin& origin) {
  converse({.connect_to = penstock.address(),
            .origin = origin.descriptor(),
            .connections = connections(),
            .bytes_max = 100'000});
}

// Those that the proxy opened and that a program would inherit; sees to it that there is one of
// every kind: a connection, a pipe that is leased, an admin connection.
std::vector<std::string> leaks(Penstock& penstock, Origin& origin, int inherited_up_to,
                               std::size_t& looked_at) {
  Peer client = penstock.client({.receive_buffer = 4096});
  Peer upstream = origin.accept();
  Peer admin = Peer::connect(penstock.admin());
  admin.send("GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n");
  REQUIRE(admin.read(12) == "HTTP/1.1 200");
  const std::string much(8 << 20, 'x');
  wait_until("a pipe holds bytes that the client does not read", [&] {
    upstream.send_now(much);
    return penstock.metrics().sum("penstock_pipes", {{"state", "leased"}}) > 0;
  });
  std::vector<std::string> found;
  for (const auto& [number, target] : descriptors_of(penstock.program())) {
    if (number <= inherited_up_to) continue;
    ++looked_at;
    if (!is_close_on_exec(penstock.program(), number))
      found.push_back(fmt::format("{} {}", number, target));
  }
  return found;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ", ") + text;
  return all;
}

}  // namespace

TEST_CASE("D11 standard descriptors closed at the start", "[faults][d][sanitize]") {
  Scenario scenario{"D11", "descriptors 0 to 2 closed at the start",
                    "they are opened on /dev/null: no log line into a client's socket"};
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}, .program = {.closed_descriptors = true}}};
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  auto descriptors = descriptors_of(penstock.program());
  for (const int number : {0, 1, 2}) CHECK(descriptors[number] == "/dev/null");
  serve_many(penstock, origin);
  Peer client = penstock.client();
  Peer upstream = origin.accept();
  penstock.program().signal(SIGUSR1);  // something is logged while a connection is open
  client.send("only this");
  client.finish_sending();
  const std::string got = upstream.read_to_end();
  scenario.delivered(Way::to_upstream, "only this", got);
  upstream.finish_sending();
  const Received back = client.receive_all();
  scenario.delivered(Way::to_client, "", back.bytes);
  scenario.verdict("client", back.ending);
  CHECK(back.ending == Ending::fin);
  penstock.wait_until_rest();
  scenario.settle();
  scenario.saw(
      fmt::format("0 to 2 are /dev/null; {} connections byte-exact in both directions, 0 "
                  "foreign bytes",
                  connections() + 1));
}

TEST_CASE("D12 inherited descriptors, and what would be passed on", "[faults][d][sanitize]") {
  constexpr int last = 50;
  Scenario scenario{"D12", "started with descriptors 3 to 50 open",
                    "all that is opened is close-on-exec; what was inherited is left open, not "
                    "touched, and named in the log"};
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()},
                     .relay = "engine: splice",
                     .program = {.inherited_up_to = last}}};
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  serve_many(penstock, origin);
  std::size_t looked_at = 0;
  const auto leaked = leaks(penstock, origin, last, looked_at);
  CHECK(joined(leaked) == "");
  std::size_t untouched = 0;
  const auto descriptors = descriptors_of(penstock.program());
  for (const auto& [number, target] : descriptors)
    if (number >= 3 && number <= last && target == "/dev/null") ++untouched;
  CHECK(untouched == last - 2);
  CHECK(penstock.program().errors().find(fmt::format("{} descriptors", last - 2)) !=
        std::string::npos);
  penstock.wait_until_rest();
  scenario.settle();
  scenario.saw(
      fmt::format("{} of {} descriptors of its own close-on-exec; {} of {} inherited ones "
                  "as they were; {} connections byte-exact",
                  looked_at - leaked.size(), looked_at, untouched, last - 2, connections()));
}
