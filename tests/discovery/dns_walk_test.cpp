#include "discovery/dns_walk.hpp"

#include "catch.hpp"
#include "discovery/scripted_server.hpp"

namespace penstock::discovery {

namespace {

using std::chrono::seconds;
using Strings = std::vector<std::string>;
using os::DnsType;

// Names that have one type only; everything else does not exist.
using Zone = std::map<std::pair<std::string, DnsType>, Said>;

Said look_in(const Zone& zone, const Asked& asked) {
  const auto found = zone.find({asked.name, asked.type});
  if (found != zone.end()) return found->second;
  for (const auto& [key, said] : zone)
    if (key.first == asked.name) return {};  // of another type
  return {.code = 3};
}

struct Walked {
  Strings addresses;  // of both families
  std::vector<upstream::DnsResult> results = {upstream::DnsResult::other,
                                              upstream::DnsResult::other};
  std::string name;
};

struct Rig {
  explicit Rig(Zone served, Strings search = {"prod.test", "corp.test"}, int ndots = 5)
      : zone{std::move(served)}, server{io, [this](const Asked& asked) {
                                          return look_in(zone, asked);
                                        }} {
    config.servers = {server.address()};
    config.search = std::move(search);
    config.ndots = ndots;
    config.timeout = seconds{1};
    config.attempts = 1;
  }

  Walked walk(const std::string& name, const std::string& decided = {}) {
    const DnsResolver resolver{.io = io, .servers = servers, .config = config};
    Walked walked;
    int missing = 2;
    const DnsWalk walk{
        resolver, name, {DnsType::a, DnsType::aaaa}, decided, [&](const DnsWalk::Answer& answer) {
          --missing;
          walked.results[answer.type] = answer.reply.result;
          walked.name = answer.name;
          for (const auto& address : answer.reply.records.addresses)
            walked.addresses.push_back(address.ip_string());
        }};
    const auto deadline = std::chrono::steady_clock::now() + seconds{60};
    io.restart();
    while (missing > 0 && std::chrono::steady_clock::now() < deadline) io.run_one_for(seconds{1});
    REQUIRE(missing == 0);
    return walked;
  }

  asio::io_context io;
  const Zone zone;
  ScriptedServer server;
  DnsServers servers;
  ResolverConfig config;
};

const Said v4{.records = {"10.0.0.1"}};
const Said v6{.records = {"fd00::9"}};
const Said silence{.code = Said::silence};
const Said servfail{.code = 2};

}  // namespace

TEST_CASE("the first search domain that has the name decides for both families", "[discovery]") {
  Rig rig{{{{"db.prod.test", DnsType::a}, v4}, {{"db.corp.test", DnsType::aaaa}, v6}}};
  const Walked walked = rig.walk("db");
  CHECK(walked.addresses == Strings{"10.0.0.1"});
  CHECK(walked.results == std::vector{upstream::DnsResult::ok, upstream::DnsResult::no_data});
  CHECK(walked.name == "db.prod.test");
  CHECK(rig.server.asked(DnsType::aaaa) == Strings{"db.prod.test"});

  Rig reverse{{{{"db.prod.test", DnsType::aaaa}, v6}, {{"db.corp.test", DnsType::a}, v4}}};
  CHECK(reverse.walk("db").addresses == Strings{"fd00::9"});
}

TEST_CASE("a whole name with one family is not looked for below a search domain", "[discovery]") {
  Rig rig{{{{"db.prod.test", DnsType::a}, v4}, {{"db.prod.test.corp.test", DnsType::aaaa}, v6}},
          {"corp.test"},
          1};
  CHECK(rig.walk("db.prod.test").addresses == Strings{"10.0.0.1"});
  CHECK(rig.server.asked(DnsType::aaaa) == Strings{"db.prod.test"});
}

TEST_CASE("an alias that leads nowhere decides, as it does in getaddrinfo", "[discovery]") {
  Rig rig{{{{"db.prod.test", DnsType::a}, {.records = {"alias gone.test"}}},
           {{"db.corp.test", DnsType::a}, v4}}};
  const Walked walked = rig.walk("db");
  CHECK(walked.addresses.empty());
  CHECK(walked.name == "db.prod.test");
}

TEST_CASE("a domain whose server is in trouble is passed over, but not the one that decided",
          "[discovery]") {
  Rig rig{{{{"db.prod.test", DnsType::a}, servfail},
           {{"db.prod.test", DnsType::aaaa}, servfail},
           {{"db.corp.test", DnsType::a}, v4}}};
  CHECK(rig.walk("db").addresses == Strings{"10.0.0.1"});
  const Walked walked = rig.walk("db", "db.prod.test");
  CHECK(walked.addresses.empty());
  CHECK(walked.results ==
        std::vector{upstream::DnsResult::servfail, upstream::DnsResult::servfail});
}

TEST_CASE("who is silent for one family does not keep the other", "[discovery]") {
  Rig rig{{{{"db.prod.test", DnsType::a}, v4}, {{"db.prod.test", DnsType::aaaa}, silence}}};
  const Walked walked = rig.walk("db");
  CHECK(walked.addresses == Strings{"10.0.0.1"});
  CHECK(walked.results == std::vector{upstream::DnsResult::ok, upstream::DnsResult::timeout});
}

TEST_CASE("where all is silence the name itself is asked for, and nothing else", "[discovery]") {
  Zone zone;
  for (const char* name : {"db.prod.test", "db.corp.test"})
    for (const DnsType type : {DnsType::a, DnsType::aaaa}) zone[{name, type}] = silence;
  zone[{"db", DnsType::a}] = v4;
  Rig rig{zone};
  CHECK(rig.walk("db").addresses == Strings{"10.0.0.1"});
  CHECK(rig.server.asked(DnsType::a) == Strings{"db.prod.test", "db"});
}

TEST_CASE("a silent first server costs a walk its timeout once, however many domains there are",
          "[discovery]") {
  Rig rig{{{{"db.x.y.z.test", DnsType::a}, v4}}, {"a.test", "b.test", "c.test", "d.test"}};
  ScriptedServer dead{rig.io, [](const Asked&) -> Said { return {.code = Said::silence}; }};
  rig.config.servers.insert(rig.config.servers.begin(), dead.address());
  CHECK(rig.walk("db.x.y.z.test").addresses == Strings{"10.0.0.1"});
  CHECK(dead.asked(DnsType::a) == Strings{"db.x.y.z.test.a.test"});
  CHECK(rig.server.asked(DnsType::a).size() == 5);
  // The next look-up knows it.
  CHECK(rig.walk("db.x.y.z.test").addresses == Strings{"10.0.0.1"});
  CHECK(dead.asked(DnsType::a).size() == 1);
}

TEST_CASE("an answer that UDP cuts is taken by TCP, and `use-vc` asks by TCP alone",
          "[discovery]") {
  Rig rig{{{{"db", DnsType::a}, {.records = {"10.0.0.1", "10.0.0.2"}, .cut_by_udp = true}}}, {}};
  CHECK(rig.walk("db").addresses == Strings{"10.0.0.1", "10.0.0.2"});
  CHECK(rig.server.asked(DnsType::a).size() == 2);
  rig.config.over_tcp = true;
  CHECK(rig.walk("db").addresses == Strings{"10.0.0.1", "10.0.0.2"});
  CHECK(rig.server.asked(DnsType::a).size() == 3);
}

TEST_CASE("every way to find nothing is told by what says most", "[discovery]") {
  Rig rig{{{{"text.prod.test", DnsType::srv}, {}},
           {{"sick.prod.test", DnsType::a}, servfail},
           {{"sick.prod.test", DnsType::aaaa}, servfail}}};
  CHECK(rig.walk("nobody").results ==
        std::vector{upstream::DnsResult::nxdomain, upstream::DnsResult::nxdomain});
  CHECK(rig.walk("text").results ==
        std::vector{upstream::DnsResult::no_data, upstream::DnsResult::no_data});
  CHECK(rig.walk("sick").results ==
        std::vector{upstream::DnsResult::servfail, upstream::DnsResult::servfail});
}

}  // namespace penstock::discovery
