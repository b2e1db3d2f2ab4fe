#include "discovery/dns_servers.hpp"

#include "catch.hpp"

namespace penstock::discovery {

namespace {

using Strings = std::vector<std::string>;

ResolverConfig three() {
  ResolverConfig config;
  config.servers = {"a", "b", "c"};
  return config;
}

const base::Instant start = base::Instant{} + std::chrono::hours{1};

}  // namespace

TEST_CASE("a server that was silent twice in a row is asked last, for a while", "[discovery]") {
  DnsServers servers;
  CHECK(servers.order(three(), start) == Strings{"a", "b", "c"});
  servers.failed("a", start);
  CHECK(servers.order(three(), start) == Strings{"a", "b", "c"});  // one packet may be lost
  servers.answered("a");
  servers.failed("a", start);
  CHECK(servers.order(three(), start) == Strings{"a", "b", "c"});
  servers.failed("a", start);
  CHECK(servers.order(three(), start) == Strings{"b", "c", "a"});
  CHECK(servers.order(three(), start + DnsServers::dead_for) == Strings{"a", "b", "c"});
  servers.failed("a", start + DnsServers::dead_for);  // still: one more is enough
  CHECK(servers.order(three(), start + DnsServers::dead_for) == Strings{"b", "c", "a"});
  servers.answered("a");
  CHECK(servers.order(three(), start + DnsServers::dead_for) == Strings{"a", "b", "c"});
}

TEST_CASE("where all servers are silent their own order holds", "[discovery]") {
  DnsServers servers;
  for (const char* server : {"c", "b", "a"})
    for (int i = 0; i < 2; ++i) servers.failed(server, start);
  CHECK(servers.order(three(), start) == Strings{"a", "b", "c"});
}

TEST_CASE("with rotate each question begins with another server, the dead ones last",
          "[discovery]") {
  DnsServers servers;
  ResolverConfig config = three();
  config.rotate = true;
  CHECK(servers.order(config, start) == Strings{"a", "b", "c"});
  CHECK(servers.order(config, start) == Strings{"b", "c", "a"});
  for (int i = 0; i < 2; ++i) servers.failed("c", start);
  CHECK(servers.order(config, start) == Strings{"a", "b", "c"});
  CHECK(servers.order(config, start) == Strings{"a", "b", "c"});
  CHECK(servers.order(config, start) == Strings{"b", "a", "c"});
}

}  // namespace penstock::discovery
