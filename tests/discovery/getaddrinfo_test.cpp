// Look-ups beside those of the C library, on the same zone and the same resolv.conf: wherever
// getaddrinfo(3) finds addresses, ours are the same. docs/OPERATIONS.md says what differs, and why.
//
// Each scenario comes from its number: the search list, the servers, and what they say to each
// question. Processes with a network and an /etc/resolv.conf of their own work through them.

#include <fcntl.h>
#include <net/if.h>
#include <netdb.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include <boost/asio/executor_work_guard.hpp>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "catch.hpp"
#include "discovery/dns_lookup.hpp"
#include "discovery/name_server.hpp"
#include "discovery/scripted_server.hpp"

namespace penstock::discovery {

namespace {

using os::DnsType;
using Strings = std::vector<std::string>;

enum class Silence { none, some };

struct Scenario {
  std::string name;
  std::string resolv_conf;
  std::map<std::pair<std::string, DnsType>, Said> zone;  // else NXDOMAIN
  int servers = 1;
  Said first_server;  // what it says to everything, where that is no answer
};

class Dice {
 public:
  explicit Dice(unsigned seed) : engine_{seed} {}
  // From 0 to `sides` - 1.
  int roll(int sides) { return static_cast<int>(engine_() % static_cast<unsigned>(sides)); }
  bool is_so(int percent) { return roll(100) < percent; }

 private:
  std::mt19937 engine_;
};

// Addresses differ from name to name, so that it shows whose they are.
Said say_of(Dice& dice, DnsType type, int number, Silence silence) {
  Said said;
  const int behaviour = dice.roll(100);
  if (behaviour < 25) return said;  // NODATA
  if (behaviour < 35) return {.code = 2};
  if (behaviour < 45 && silence == Silence::some) return {.code = Said::silence};
  said.cut_by_udp = behaviour >= 85;
  const int count = 1 + dice.roll(3);
  for (int i = 1; i <= count; ++i) {
    const std::string tail =
        std::to_string(number) + (type == DnsType::a ? "." : ":") + std::to_string(i);
    said.records.push_back((type == DnsType::a ? "10.0." : "fd00::") + tail);
  }
  return said;
}

Scenario scenario_of(unsigned number, Silence silence) {
  Dice dice{number};
  Scenario scenario;
  const Strings names{"db", "db.x", "db.x.y"};
  scenario.name = names[static_cast<std::size_t>(dice.roll(3))];
  const int depth = dice.roll(4);
  scenario.servers = 1 + dice.roll(2);
  std::ostringstream text;
  for (int i = 1; i <= scenario.servers; ++i) text << "nameserver 127.0.0." << i << '\n';
  // Without one the C library takes the domain of the host's name.
  text << "search" << (depth == 0 ? " ." : "");
  for (int i = 1; i <= depth; ++i) text << " d" << i << ".test";
  text << "\noptions timeout:1 attempts:1 ndots:" << (dice.is_so(50) ? 1 : 5)
       << (dice.is_so(30) ? " rotate" : "") << '\n';
  scenario.resolv_conf = text.str();
  int name_number = 0;
  for (const std::string& name :
       search_names(parse_resolver_config(scenario.resolv_conf, ""), scenario.name)) {
    ++name_number;
    if (dice.is_so(40)) continue;  // no such name
    for (const DnsType type : {DnsType::a, DnsType::aaaa})
      scenario.zone[{name, type}] = say_of(dice, type, name_number, silence);
  }
  if (scenario.servers == 2 && dice.is_so(40)) {
    const int code = dice.roll(3);
    if (code == 0 && silence == Silence::some) scenario.first_server.code = Said::silence;
    if (code == 1) scenario.first_server.code = 2;
    if (code == 2) scenario.first_server.code = 5;
  }
  return scenario;
}

// The answers of a server, each time from another one of its records on.
class Script {
 public:
  Script(const Scenario& scenario, bool is_first) : scenario_{scenario}, is_first_{is_first} {}
  Said operator()(const Asked& asked) {
    if (is_first_ && scenario_.first_server.code != 0) return scenario_.first_server;
    const auto found = scenario_.zone.find({asked.name, asked.type});
    if (found == scenario_.zone.end()) return {.code = 3};
    Said said = found->second;
    if (!said.records.empty())
      std::rotate(said.records.begin(),
                  said.records.begin() + (turn_++ % static_cast<long>(said.records.size())),
                  said.records.end());
    return said;
  }

 private:
  const Scenario& scenario_;
  const bool is_first_;
  long turn_ = 0;
};

std::set<std::string> ask_library(const std::string& name) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  std::set<std::string> found;
  if (::getaddrinfo(name.c_str(), nullptr, &hints, &list) != 0) return found;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next)
    found.insert(os::IpEndpoint::from_sockaddr(*entry->ai_addr).ip_string());
  ::freeaddrinfo(list);
  return found;
}

std::set<std::string> ask_ours(const std::string& name) {
  asio::io_context io;
  DnsServers servers;
  upstream::DnsSource source;
  source.name = name;
  source.port = 80;
  std::optional<DnsFound> found;
  const DnsLookup lookup{io, servers, load_resolver_config(), source, "", [&](DnsFound report) {
                           if (report.is_final) found = std::move(report);
                         }};
  while (!found) io.run_one();
  std::set<std::string> addresses;
  for (const DnsEndpoint& endpoint : found->endpoints)
    addresses.insert(endpoint.spec.address.ip().ip_string());
  return addresses;
}

std::string text_of(const std::set<std::string>& addresses) {
  std::string text;
  for (const std::string& address : addresses) text += ' ' + address;
  return text.empty() ? " none" : text;
}

// The library passes a name over whose A question nobody answers, though its AAAA question is
// answered: the next domain's addresses take its place.
bool is_passed_over(const Scenario& scenario) {
  const auto said = [&](const std::string& name, DnsType type) {
    const auto found = scenario.zone.find({name, type});
    return found == scenario.zone.end() ? Said{} : found->second;
  };
  for (const std::string& name :
       search_names(parse_resolver_config(scenario.resolv_conf, ""), scenario.name)) {
    const bool has_four = !said(name, DnsType::a).records.empty();
    const bool has_six = !said(name, DnsType::aaaa).records.empty();
    if (has_six && said(name, DnsType::a).code == Said::silence) return true;
    if (has_four || has_six) return false;
  }
  return false;
}

// Where both find the same, or the library finds nothing, an empty line; else what each found.
std::string compare(const Scenario& scenario) {
  asio::io_context io;
  const auto work = asio::make_work_guard(io);
  std::vector<std::unique_ptr<ScriptedServer>> servers;
  for (int i = 1; i <= scenario.servers; ++i)
    servers.push_back(std::make_unique<ScriptedServer>(
        io, Script{scenario, i == 1}, "127.0.0." + std::to_string(i), std::uint16_t{53}));
  std::thread thread{[&] { io.run(); }};
  const auto ours = ask_ours(scenario.name);
  const auto theirs = ask_library(scenario.name);
  io.stop();
  thread.join();
  if (theirs.empty()) return "none\n";
  if (ours == theirs) return "same\n";
  if (is_passed_over(scenario)) return "passed over\n";
  return "ours" + text_of(ours) + ", theirs" + text_of(theirs) + '\n';
}

bool is_in_own_world(const Folder& folder) {
  if (::unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) return false;
  ifreq loopback{};
  std::string{"lo"}.copy(loopback.ifr_name, sizeof loopback.ifr_name - 1);
  loopback.ifr_flags = IFF_UP | IFF_RUNNING;
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const bool is_up = ::ioctl(socket, SIOCSIFFLAGS, &loopback) == 0;
  ::close(socket);
  const std::string file = folder.write("resolv.conf", "");
  const std::string order = folder.write("nsswitch.conf", "hosts: dns\n");
  return is_up && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount(file.c_str(), "/etc/resolv.conf", nullptr, MS_BIND, nullptr) == 0 &&
         ::mount(order.c_str(), "/etc/nsswitch.conf", nullptr, MS_BIND, nullptr) == 0;
}

constexpr const char* no_world = "no world";

// A line for every `step`th scenario.
void work_through(int output, unsigned first, unsigned step, unsigned end, Silence silence) {
  const Folder folder;
  const bool has_world = is_in_own_world(folder);
  for (unsigned number = first; number < end; number += step) {
    const Scenario scenario = scenario_of(number, silence);
    folder.write("resolv.conf", scenario.resolv_conf);
    const std::string line = std::to_string(number) + ' ' +
                             (has_world ? compare(scenario) : std::string{no_world} + '\n');
    if (::write(output, line.data(), line.size()) < 0) break;
  }
}

struct Tally {
  unsigned same = 0;
  unsigned none = 0;  // the library found nothing
  unsigned passed_over = 0;
  bool was_skipped = false;
  Strings differences;
};

Tally run(unsigned first, unsigned end, Silence silence, unsigned processes) {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  std::vector<pid_t> workers;
  for (unsigned i = 0; i < processes; ++i) {
    const pid_t worker = ::fork();
    REQUIRE(worker >= 0);
    if (worker == 0) {
      work_through(ends[1], first + i, processes, end, silence);
      ::_exit(0);
    }
    workers.push_back(worker);
  }
  ::close(ends[1]);
  std::string all;
  std::array<char, 4096> bytes;
  for (ssize_t count = 1; (count = ::read(ends[0], bytes.data(), bytes.size())) > 0;)
    all.append(bytes.data(), static_cast<std::size_t>(count));
  ::close(ends[0]);
  for (const pid_t worker : workers) {
    int status = 0;
    ::waitpid(worker, &status, 0);
    CHECK(status == 0);
  }
  Tally tally;
  std::istringstream lines{all};
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with(" same"))
      ++tally.same;
    else if (line.ends_with(" none"))
      ++tally.none;
    else if (line.ends_with(" passed over"))
      ++tally.passed_over;
    else if (line.ends_with(no_world))
      tally.was_skipped = true;
    else
      tally.differences.push_back(line);
  }
  return tally;
}

void expect_no_difference(const Tally& tally, unsigned scenarios) {
  if (tally.was_skipped) {
    WARN("skipped: no network and no /etc/resolv.conf of our own");
    return;
  }
  CHECK(tally.differences == Strings{});
  CHECK(tally.same + tally.none + tally.passed_over == scenarios);
  CHECK(tally.passed_over < scenarios / 20);
  CHECK(tally.same > scenarios / 3);
}

}  // namespace

TEST_CASE("wherever getaddrinfo finds addresses, ours are the same", "[discovery]") {
  expect_no_difference(run(1000, 1040, Silence::none, 2), 40);
}

TEST_CASE("wherever getaddrinfo finds addresses, ours are the same, also where servers are silent",
          "[discovery][full]") {
  expect_no_difference(run(0, 240, Silence::some, 16), 240);
}

}  // namespace penstock::discovery
