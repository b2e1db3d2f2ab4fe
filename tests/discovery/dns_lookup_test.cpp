#include "discovery/dns_lookup.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "catch.hpp"
#include "discovery/name_server.hpp"
#include "discovery/scripted_server.hpp"

namespace penstock::discovery {

namespace {

using Type = upstream::DnsSource::Type;

upstream::DnsSource source_of(const std::string& name, Type type = Type::a,
                              std::uint16_t port = 80) {
  upstream::DnsSource source;
  source.name = name;
  source.port = port;
  source.type = type;
  return source;
}

ResolverConfig asking(const std::vector<std::string>& servers) {
  ResolverConfig config;
  config.servers = servers;
  return config;
}

// All reports of one look-up.
std::vector<DnsFound> reports_of(asio::io_context& io, const ResolverConfig& config,
                                 const upstream::DnsSource& source,
                                 const std::string& decided = {}) {
  std::vector<DnsFound> reports;
  DnsServers servers;
  const DnsLookup lookup{io,     servers, config,
                         source, decided, [&](DnsFound found) { reports.push_back(found); }};
  CHECK(reports.empty());  // never within the call
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{60};
  io.restart();
  while ((reports.empty() || !reports.back().is_final) &&
         std::chrono::steady_clock::now() < deadline)
    io.run_one_for(std::chrono::seconds{1});
  REQUIRE_FALSE(reports.empty());
  REQUIRE(reports.back().is_final);
  return reports;
}

DnsFound look_up(asio::io_context& io, const ResolverConfig& config,
                 const upstream::DnsSource& source, const std::string& decided = {}) {
  return reports_of(io, config, source, decided).back();
}

DnsFound look_up(asio::io_context& io, const std::string& server,
                 const upstream::DnsSource& source) {
  return look_up(io, asking({server}), source);
}

DnsFound look_up(const NameServer& server, const upstream::DnsSource& source) {
  asio::io_context io;
  return look_up(io, server.address(), source);
}

std::vector<std::string> identities(const DnsFound& found) {
  std::vector<std::string> result;
  for (const DnsEndpoint& endpoint : found.endpoints) {
    CHECK(endpoint.spec.identity == endpoint.spec.address.to_string());
    result.push_back(endpoint.spec.identity);
  }
  return result;
}

using Strings = std::vector<std::string>;

}  // namespace

TEST_CASE("A and AAAA records are endpoints, sorted by identity", "[discovery]") {
  const NameServer server{{"--host-record=db.test,10.0.0.9,fd00::1",
                           "--host-record=db.test,10.0.0.2", "--host-record=four.test,10.0.0.4",
                           "--host-record=six.test,fd00::6"}};
  upstream::DnsSource source = source_of("db.test");
  source.weight = 7;
  source.priority = 2;
  source.max_connections = 9;
  const DnsFound found = look_up(server, source);
  CHECK(found.result == upstream::DnsResult::ok);
  CHECK(identities(found) == Strings{"10.0.0.2:80", "10.0.0.9:80", "[fd00::1]:80"});
  CHECK(found.endpoints.at(0).spec.weight == 7);
  CHECK(found.endpoints.at(0).spec.priority == 2);
  CHECK(found.endpoints.at(0).spec.max_connections == 9);
  // One missing family is no failure.
  CHECK(identities(look_up(server, source_of("four.test"))) == Strings{"10.0.0.4:80"});
  CHECK(identities(look_up(server, source_of("six.test"))) == Strings{"[fd00::6]:80"});
}

TEST_CASE("every way to fail has its name", "[discovery]") {
  const NameServer server{{"--txt-record=text.test,hello"}};
  CHECK(look_up(server, source_of("nobody.test")).result == upstream::DnsResult::nxdomain);
  CHECK(look_up(server, source_of("text.test")).result == upstream::DnsResult::no_data);
  CHECK(look_up(server, source_of("elsewhere.example.")).result == upstream::DnsResult::refused);
  CHECK(look_up(server, source_of("nobody.test", Type::srv)).result ==
        upstream::DnsResult::nxdomain);
  CHECK(look_up(server, source_of("text.test", Type::srv)).result == upstream::DnsResult::no_data);
  CHECK(look_up(server, source_of("elsewhere.example.", Type::srv)).result ==
        upstream::DnsResult::refused);

  asio::io_context io;
  const OddServer broken{io, 2};
  CHECK(look_up(io, broken.address(), source_of("db.test")).result ==
        upstream::DnsResult::servfail);
  CHECK(look_up(io, broken.address(), source_of("db.test", Type::srv)).result ==
        upstream::DnsResult::servfail);
  const std::string nobody = "127.0.0.1:" + std::to_string(free_port());
  CHECK(look_up(io, nobody, source_of("db.test")).result == upstream::DnsResult::unreachable);
}

TEST_CASE("a silent server ends as a timeout, and blocks nobody meanwhile", "[discovery]") {
  asio::io_context io;
  const OddServer silent{io, OddServer::silent};
  int other_work = 0;
  asio::steady_timer timer{io};
  std::function<void()> work = [&] {
    timer.expires_after(std::chrono::milliseconds{10});
    timer.async_wait([&](const auto& error) {
      if (!error) ++other_work, work();
    });
  };
  work();
  const auto type = GENERATE(Type::a, Type::srv);
  CHECK(look_up(io, silent.address(), source_of("db.test", type)).result ==
        upstream::DnsResult::timeout);
  CHECK(other_work > 20);
  CHECK(silent.questions() >= 2);  // it was asked again
}

TEST_CASE("each of many silent servers is asked as often as `attempts` says", "[discovery][full]") {
  asio::io_context io;
  const OddServer one{io, OddServer::silent};
  const OddServer two{io, OddServer::silent};
  const OddServer three{io, OddServer::silent};
  ResolverConfig config = asking({one.address(), two.address(), three.address()});
  config.timeout = std::chrono::seconds{1};
  const auto type = GENERATE(Type::a, Type::srv);
  CHECK(look_up(io, config, source_of("db.test", type)).result == upstream::DnsResult::timeout);
  const int questions = one.questions() + two.questions() + three.questions();
  CHECK(questions == (type == Type::a ? 12 : 6));
}

TEST_CASE("a server that is in trouble is left for the next one", "[discovery]") {
  asio::io_context io;
  const OddServer broken{io, 2};
  const NameServer server{{"--host-record=db.test,10.0.0.1"}};
  const DnsFound found =
      look_up(io, asking({broken.address(), server.address()}), source_of("db.test"));
  CHECK(found.result == upstream::DnsResult::ok);
  CHECK(identities(found) == Strings{"10.0.0.1:80"});
  CHECK(broken.questions() > 0);
}

TEST_CASE("an answer that is too long for UDP is taken by TCP, whole", "[discovery]") {
  const Folder folder;
  std::string hosts;
  for (int i = 0; i < 1000; ++i)
    hosts += "10.1." + std::to_string(i / 250) + '.' + std::to_string(i % 250) + " many.test\n";
  const NameServer server{{"--addn-hosts=" + folder.write("hosts", hosts)}};
  const DnsFound found = look_up(server, source_of("many.test"));
  CHECK(found.result == upstream::DnsResult::ok);
  CHECK(found.endpoints.size() == 1000);
}

TEST_CASE("an answer is kept as long as its TTL says, from 1 s to 60 s", "[discovery]") {
  const auto [ttl, keep] = GENERATE(table<int, int>({{0, 1}, {7, 7}, {60, 60}, {300, 60}}));
  const NameServer server{{"--host-record=db.test,10.0.0.1", "--srv-host=_db.test,db.test,80",
                           "--local-ttl=" + std::to_string(ttl)}};
  CHECK(look_up(server, source_of("db.test")).keep == std::chrono::seconds{keep});
  CHECK(look_up(server, source_of("_db.test", Type::srv)).keep == std::chrono::seconds{keep});
}

TEST_CASE("the hosts file needs no server and is kept for 60 s", "[discovery]") {
  asio::io_context io;
  const DnsFound found = look_up(io, "127.0.0.1:9", source_of("localhost"));
  CHECK(found.result == upstream::DnsResult::ok);
  CHECK(found.keep == dns_keep_max);
  const Strings all = identities(found);
  CHECK(std::count(all.begin(), all.end(), "127.0.0.1:80") == 1);
}

TEST_CASE("SRV records give port, weight and priority", "[discovery]") {
  const NameServer server{
      {"--host-record=a.test,10.0.0.1,fd00::1", "--host-record=b.test,10.0.0.2",
       "--host-record=c.test,10.0.0.3", "--srv-host=_db._tcp.test,a.test,5001,10,3",
       "--srv-host=_db._tcp.test,b.test,5002,10,0", "--srv-host=_db._tcp.test,c.test,5003,20,0",
       "--srv-host=_db._tcp.test,gone.test,5004,10,1"}};
  const DnsFound found = look_up(server, source_of("_db._tcp.test", Type::srv, 0));
  CHECK(found.result == upstream::DnsResult::ok);
  CHECK(identities(found) ==
        Strings{"10.0.0.1:5001", "10.0.0.2:5002", "10.0.0.3:5003", "[fd00::1]:5001"});
  CHECK(found.endpoints.at(0).spec.weight == 300);
  CHECK(found.endpoints.at(1).spec.weight == 1);
  CHECK(found.endpoints.at(2).spec.weight == 1);
  CHECK(found.endpoints.at(0).spec.priority == 0);
  CHECK(found.endpoints.at(2).spec.priority == 1);
  // A port that the configuration states stands above that of the records.
  CHECK(identities(look_up(server, source_of("_db._tcp.test", Type::srv, 80))).at(0) ==
        "10.0.0.1:80");
}

TEST_CASE("a question that fails beside others is told as unanswered", "[discovery]") {
  asio::io_context io;
  ScriptedServer server{io, [](const Asked& asked) -> Said {
                          if (asked.type == os::DnsType::srv)
                            return {.records = {"80 a.test", "80 c.test"}};
                          if (asked.name == "c.test") return {.code = 2};
                          if (asked.type == os::DnsType::a) return {.records = {"10.0.0.1"}};
                          return {};
                        }};
  const DnsFound found = look_up(io, server.address(), source_of("_db.test", Type::srv, 0));
  CHECK(found.result == upstream::DnsResult::ok);
  CHECK(identities(found) == Strings{"10.0.0.1:80"});
  CHECK(found.unanswered ==
        std::set<DnsOrigin>{{"c.test.", os::DnsType::a}, {"c.test.", os::DnsType::aaaa}});
}

TEST_CASE("many targets are asked for, a few at a time", "[discovery]") {
  std::vector<std::string> options;
  for (int i = 1; i <= 100; ++i) {
    const std::string name = "host" + std::to_string(i) + ".test";
    options.push_back("--host-record=" + name + ",10.0.0." + std::to_string(i));
    options.push_back("--srv-host=_db.test," + name + ",80");
  }
  const NameServer server{options};
  const DnsFound found = look_up(server, source_of("_db.test", Type::srv, 0));
  CHECK(found.result == upstream::DnsResult::ok);
  CHECK(found.endpoints.size() == 100);
}

TEST_CASE("a lookup can be given up at any time", "[discovery]") {
  asio::io_context io;
  const OddServer silent{io, OddServer::silent};
  bool was_called = false;
  {
    DnsServers servers;
    const DnsLookup lookup{
        io, servers, asking({silent.address()}), source_of("db.test"), "", [&](const DnsFound&) {
          was_called = true;
        }};
    while (silent.questions() == 0) io.run_one_for(std::chrono::seconds{1});
  }
  io.poll();
  CHECK_FALSE(was_called);
}

TEST_CASE("who answered is reported before who is silent is given up", "[discovery]") {
  asio::io_context io;
  ScriptedServer server{io, [](const Asked& asked) -> Said {
                          if (asked.type == os::DnsType::aaaa) return {.code = Said::silence};
                          return {.records = {"10.0.0.1"}};
                        }};
  const auto reports = reports_of(io, asking({server.address()}), source_of("db.test"));
  REQUIRE(reports.size() == 2);
  CHECK_FALSE(reports[0].is_final);
  CHECK(identities(reports[0]) == Strings{"10.0.0.1:80"});
  CHECK(reports[0].unanswered == std::set<DnsOrigin>{{"db.test", os::DnsType::aaaa}});
  CHECK(identities(reports[1]) == Strings{"10.0.0.1:80"});
  // Its second try has not ended: the look-up did not wait for that.
  CHECK(server.asked(os::DnsType::aaaa).size() == 2);
}

TEST_CASE("an SRV target that is silent does not keep the others", "[discovery]") {
  asio::io_context io;
  ScriptedServer server{io, [](const Asked& asked) -> Said {
                          if (asked.type == os::DnsType::srv)
                            return {.records = {"5001 a.test", "5002 dead.test", "0 zero.test"}};
                          if (asked.name == "dead.test") return {.code = Said::silence};
                          if (asked.type == os::DnsType::aaaa) return {};
                          return {.records = {"10.0.0.1"}};
                        }};
  const auto reports =
      reports_of(io, asking({server.address()}), source_of("_db.test", Type::srv, 0));
  REQUIRE(reports.size() == 2);
  for (const DnsFound& found : reports) {
    CHECK(identities(found) == Strings{"10.0.0.1:5001"});
    CHECK(found.unusable == Strings{"10.0.0.1:0"});
    CHECK(found.unanswered.size() == 2);
  }
}

TEST_CASE("`family` asks for one family alone", "[discovery]") {
  asio::io_context io;
  ScriptedServer server{io, [](const Asked& asked) -> Said {
                          if (asked.type == os::DnsType::aaaa) return {.records = {"fd00::1"}};
                          return {.records = {"10.0.0.1"}};
                        }};
  upstream::DnsSource source = source_of("db.test");
  source.family = upstream::DnsSource::Family::v4;
  CHECK(identities(look_up(io, server.address(), source)) == Strings{"10.0.0.1:80"});
  CHECK(server.asked(os::DnsType::aaaa).empty());
  source.family = upstream::DnsSource::Family::v6;
  CHECK(identities(look_up(io, server.address(), source)) == Strings{"[fd00::1]:80"});
  CHECK(server.asked(os::DnsType::a).size() == 1);
  source.name = "localhost";  // of the hosts file
  source.family = upstream::DnsSource::Family::v4;
  CHECK(identities(look_up(io, server.address(), source)) == Strings{"127.0.0.1:80"});
}

TEST_CASE("addresses where nobody can be connected to are told, and are no endpoints",
          "[discovery]") {
  asio::io_context io;
  std::vector<std::string> four{"0.0.0.0", "224.0.0.1", "255.255.255.255", "10.0.0.1"};
  ScriptedServer server{io, [&](const Asked& asked) -> Said {
                          if (asked.type == os::DnsType::aaaa)
                            return {.records = {"::", "ff02::1", "fe80::1", "::ffff:0.0.0.0"}};
                          return {.records = four};
                        }};
  DnsFound found = look_up(io, server.address(), source_of("db.test"));
  CHECK(found.result == upstream::DnsResult::ok);
  CHECK(identities(found) == Strings{"10.0.0.1:80"});
  CHECK(found.unusable == Strings{"0.0.0.0:80", "224.0.0.1:80", "255.255.255.255:80", "[::]:80",
                                  "[fe80::1]:80", "[ff02::1]:80"});
  four.pop_back();
  found = look_up(io, server.address(), source_of("db.test"));
  CHECK(found.result == upstream::DnsResult::no_data);
}

}  // namespace penstock::discovery
