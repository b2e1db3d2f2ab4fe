#include "discovery/dns.hpp"

#include <boost/asio/io_context.hpp>
#include <fstream>

#include "catch.hpp"
#include "discovery/name_server.hpp"
#include "discovery/scripted_server.hpp"

namespace penstock::discovery {

namespace {

using std::chrono::seconds;

const SourceId id{"db", 1};

upstream::DnsSource dns_source_of(const std::string& name) {
  upstream::DnsSource source;
  source.name = name;
  source.port = 80;
  return source;
}

ResolverConfig asking(const std::string& server) {
  ResolverConfig config;
  config.servers = {server};
  return config;
}

// A watch, and what it reported so far.
struct Watched {
  Watched() = default;
  explicit Watched(const std::string& server) { begin(server); }

  void begin(const std::string& server) {
    watch.emplace(
        io,
        DnsReports{
            .found = [this](const SourceId& who, const DnsEndpoints& all) { take(who, all); },
            .resolved = [this](const SourceId&,
                               upstream::DnsResult result) { results.push_back(result); },
            .said =
                [this](const std::string& sentence, logging::Severity severity) {
                  said.push_back(std::string{logging::severity_names[severity]} + ": " + sentence);
                }},
        asking(server));
  }

  void take(const SourceId& who, const DnsEndpoints& all) {
    CHECK(who == id);
    found.emplace_back();
    for (const upstream::EndpointSpec& endpoint : all.now)
      found.back().push_back(endpoint.identity);
    for (const auto& [address, until] : all.left) left.push_back(address.to_string());
  }

  template <class Fact>
  void run_until(const Fact& fact) {
    const auto deadline = std::chrono::steady_clock::now() + seconds{60};
    while (!fact()) {
      REQUIRE(std::chrono::steady_clock::now() < deadline);
      io.run_one_for(std::chrono::milliseconds{100});
    }
  }
  void run_until_resolved(std::size_t times) {
    run_until([&] { return results.size() >= times; });
  }

  asio::io_context io;
  std::vector<std::vector<std::string>> found;
  std::vector<upstream::DnsResult> results;
  std::vector<std::string> said;
  std::vector<std::string> left;
  std::optional<DnsWatch> watch;
};

using Strings = std::vector<std::string>;

}  // namespace

TEST_CASE("after success the TTL or `refresh` is waited for, after failures longer and longer",
          "[discovery]") {
  upstream::DnsSource source;
  CHECK(dns_wait(source, seconds{7}, 0) == seconds{7});
  CHECK(dns_wait(source, seconds{0}, 0) == seconds{1});
  CHECK(dns_wait(source, seconds{3600}, 0) == seconds{60});
  CHECK(dns_wait(source, seconds{7}, 1) == seconds{1});
  CHECK(dns_wait(source, seconds{7}, 2) == seconds{2});
  CHECK(dns_wait(source, seconds{7}, 6) == seconds{32});
  CHECK(dns_wait(source, seconds{7}, 7) == seconds{60});
  CHECK(dns_wait(source, seconds{7}, 1'000'000) == seconds{60});
  source.refresh = seconds{5};
  CHECK(dns_wait(source, seconds{7}, 0) == seconds{5});
  CHECK(dns_wait(source, seconds{7}, 2) == seconds{2});
  CHECK(dns_wait(source, seconds{7}, 9) == seconds{5});
}

TEST_CASE("a changed answer is reported, an unchanged one is not", "[discovery]") {
  const Folder folder;
  const std::string hosts = folder.write("hosts", "10.0.0.1 db.test\n");
  const NameServer server{{"--addn-hosts=" + hosts}};  // TTL 0: asked each second
  Watched watched{server.address()};
  watched.watch->watch(id, dns_source_of("db.test"));
  CHECK(watched.found.empty());  // never within the call
  watched.run_until_resolved(2);
  CHECK(watched.found == std::vector<Strings>{{"10.0.0.1:80"}});
  folder.write("hosts", "10.0.0.1 db.test\n10.0.0.2 db.test\n");
  server.reload();
  watched.run_until([&] { return watched.found.size() == 2; });
  CHECK(watched.found.back() == Strings{"10.0.0.1:80", "10.0.0.2:80"});
  CHECK(watched.said.empty());
}

TEST_CASE("the last good answer stays while the server is down, and each turn is told once",
          "[discovery]") {
  const std::vector<std::string> options{"--host-record=db.test,10.0.0.1"};
  std::optional<NameServer> server;
  server.emplace(options);
  const std::uint16_t port = server->port();
  Watched watched{server->address()};
  watched.watch->watch(id, dns_source_of("db.test"));
  watched.run_until_resolved(1);
  server.reset();
  watched.run_until([&] {
    return std::count(watched.results.begin(), watched.results.end(),
                      upstream::DnsResult::unreachable) >= 2;
  });
  CHECK(watched.found.size() == 1);
  CHECK(watched.said ==
        Strings{"warning: upstream 'db': dns db.test cannot be resolved: no name server listens at "
                "the address in use; its 1 endpoints of the last answer stay in use, and it is "
                "tried again"});
  server.emplace(options, port);
  watched.run_until([&] { return watched.said.size() == 2; });
  CHECK(watched.said.back().starts_with("info: upstream 'db': dns db.test is resolved again"));
  CHECK(watched.found.size() == 1);
}

TEST_CASE("a name that is gone keeps its endpoints, too", "[discovery]") {
  const Folder folder;
  const NameServer server{{"--addn-hosts=" + folder.write("hosts", "10.0.0.1 db.test\n")}};
  Watched watched{server.address()};
  watched.watch->watch(id, dns_source_of("db.test"));
  watched.run_until_resolved(1);
  folder.write("hosts", "10.0.0.1 other.test\n");
  server.reload();
  watched.run_until([&] { return watched.results.back() == upstream::DnsResult::nxdomain; });
  CHECK(watched.found.size() == 1);
}

TEST_CASE("a name that never resolved reports no endpoints", "[discovery]") {
  const NameServer server{{}};
  Watched watched{server.address()};
  watched.watch->watch(id, dns_source_of("nobody.test"));
  watched.run_until_resolved(2);
  CHECK(watched.found.empty());
  CHECK(watched.said ==
        Strings{"warning: upstream 'db': dns nobody.test cannot be resolved: there is no such "
                "name; it has no endpoints until it can, and it is tried again"});
}

TEST_CASE("a source that is forgotten or replaced reports no more", "[discovery]") {
  const NameServer server{{"--host-record=old.test,10.0.0.1", "--host-record=new.test,10.0.0.2"}};
  Watched watched{server.address()};
  watched.watch->watch(id, dns_source_of("old.test"));
  watched.watch->watch(id, dns_source_of("new.test"));
  watched.run_until_resolved(1);
  CHECK(watched.found == std::vector<Strings>{{"10.0.0.2:80"}});
  CHECK(watched.watch->size() == 1);
  watched.watch->watch(id, dns_source_of("old.test"));
  watched.watch->forget(id);
  watched.io.run();  // to its end: nothing is left to wait for
  CHECK(watched.results.size() == 1);
}

TEST_CASE("a source is asked again at once when its endpoints fail, but at most once a second",
          "[discovery]") {
  Watched watched;
  ScriptedServer server{watched.io, [](const Asked& asked) -> Said {
                          if (asked.type == os::DnsType::aaaa) return {};
                          return {.records = {"10.0.0.1"}};
                        }};
  watched.begin(server.address());
  watched.watch->watch(id, dns_source_of("db.test"));
  watched.run_until_resolved(1);
  const auto first = std::chrono::steady_clock::now();
  for (int i = 0; i < 10; ++i) watched.watch->hurry("db");
  watched.watch->hurry("another");
  watched.run_until_resolved(2);
  CHECK(std::chrono::steady_clock::now() - first < seconds{30});  // its TTL is 60 s
  for (int i = 0; i < 10; ++i) watched.watch->hurry("db");
  watched.run_until_resolved(3);
  CHECK(server.asked(os::DnsType::a).size() == 3);
}

TEST_CASE("a name that is gone loses its endpoints after nx_hold, with a warning", "[discovery]") {
  const Folder folder;
  const NameServer server{{"--addn-hosts=" + folder.write("hosts", "10.0.0.1 db.test\n")}};
  Watched watched{server.address()};
  upstream::DnsSource source = dns_source_of("db.test");
  source.nx_hold = std::chrono::milliseconds{1500};
  watched.watch->watch(id, source);
  watched.run_until_resolved(1);
  folder.write("hosts", "10.0.0.1 other.test\n");
  server.reload();
  watched.run_until([&] { return watched.found.size() == 2; });
  CHECK(watched.found.back().empty());
  CHECK(watched.left == Strings{"10.0.0.1:80"});
  CHECK(
      watched.said ==
      Strings{"warning: upstream 'db': dns db.test cannot be resolved: there is no such name; its "
              "1 endpoints of the last answer stay in use until that has lasted for nx_hold, and "
              "it is tried again",
              "warning: upstream 'db': dns db.test: there is no such name, and that has lasted "
              "for nx_hold: its 1 endpoints get no new connections any more"});
}

TEST_CASE("an address where nobody can be connected to is told once", "[discovery]") {
  Watched watched;
  ScriptedServer server{watched.io, [](const Asked& asked) -> Said {
                          if (asked.type == os::DnsType::aaaa) return {};
                          return {.records = {"10.0.0.1", "0.0.0.0"}, .ttl_seconds = 0};
                        }};
  watched.begin(server.address());
  watched.watch->watch(id, dns_source_of("db.test"));
  watched.run_until_resolved(2);
  CHECK(watched.found == std::vector<Strings>{{"10.0.0.1:80"}});
  CHECK(watched.said ==
        Strings{"warning: upstream 'db': dns db.test names 0.0.0.0:80, where nobody "
                "can be connected to: left out"});
}

}  // namespace penstock::discovery
