#include "discovery/resolver_config.hpp"

#include "catch.hpp"

namespace penstock::discovery {

namespace {

using std::chrono::seconds;
using Strings = std::vector<std::string>;

ResolverConfig parsed(const std::string& text) {
  return parse_resolver_config(text, "");
}

}  // namespace

TEST_CASE("resolv.conf is read as the C library reads it", "[discovery]") {
  const ResolverConfig config = parsed(
      "# nameserver 10.0.0.9\n; nameserver 10.0.0.8\n"
      "nameserver 10.0.0.1\nnameserver\t::1 # beside it\r\n  nameserver 10.0.0.3\nnameserver "
      "nobody\n"
      "nameserver fe80::1%1\nnameserver 10.0.0.2\nnameserver 10.0.0.4\n"
      "domain old.test\nsearch a.test. .b.test . c.test\n"
      "options ndots:5 timeout:3 attempts:4 rotate use-vc edns0\nsortlist 10.0.0.0\n");
  CHECK(config.servers == Strings{"10.0.0.1:53", "[::1]:53", "10.0.0.3:53"});
  CHECK(config.search == Strings{"a.test", "b.test", "", "c.test"});
  CHECK(config.ndots == 5);
  CHECK(config.timeout == seconds{3});
  CHECK(config.attempts == 4);
  CHECK(config.rotate);
  CHECK(config.over_tcp);
}

TEST_CASE("what resolv.conf does not say has the defaults, and its numbers have bounds",
          "[discovery]") {
  CHECK(parsed("") == parsed("nameserver 127.0.0.1\n"));
  CHECK(parsed("").attempts == 2);
  CHECK(parsed("").ndots == 1);
  CHECK(parse_resolver_config("", "corp.test").search == Strings{"corp.test"});
  CHECK(parse_resolver_config("search a.test", "corp.test").search == Strings{"a.test"});
  CHECK(parsed("search a.test\ndomain b.test c.test\n").search == Strings{"b.test"});
  const ResolverConfig most = parsed("options ndots:99 timeout:99 attempts:99999999999");
  CHECK(most.ndots == 15);
  CHECK(most.timeout == seconds{30});
  CHECK(most.attempts == 5);
  const ResolverConfig least = parsed("options ndots:0 timeout:0 attempts:0");
  CHECK(least.ndots == 0);
  CHECK(least.timeout == seconds{1});
  CHECK(least.attempts == 1);
  CHECK(parsed("options ndots timeout: attempts:x") == parsed(""));
  std::string many = "search";
  for (int i = 0; i < 1000; ++i) many += " d" + std::to_string(i) + ".test";
  CHECK(parsed(many).search.size() == 64);
}

TEST_CASE("a try lasts as long as resolv.conf says, else 2 s and then 4 s", "[discovery]") {
  const ResolverConfig silent = parsed("nameserver 10.0.0.1\nnameserver 10.0.0.2\n");
  CHECK(silent.timeout_of(0) == seconds{2});
  CHECK(silent.timeout_of(1) == seconds{4});
  CHECK(silent.longest_question() == seconds{12});
  const ResolverConfig stated = parsed("nameserver 10.0.0.1\noptions timeout:1 attempts:3\n");
  CHECK(stated.timeout_of(2) == seconds{1});
  CHECK(stated.longest_question() == seconds{3});
}

TEST_CASE("names are searched for in the order of the C library", "[discovery]") {
  const ResolverConfig config = parsed("search a.test b.test\noptions ndots:2\n");
  CHECK(search_names(config, "db") == Strings{"db.a.test", "db.b.test", "db"});
  CHECK(search_names(config, "db.x") == Strings{"db.x.a.test", "db.x.b.test", "db.x"});
  CHECK(search_names(config, "db.x.y") == Strings{"db.x.y", "db.x.y.a.test", "db.x.y.b.test"});
  CHECK(search_names(config, "db.") == Strings{"db"});
  CHECK(search_names(parsed("search a.test . a.test\n"), "db") == Strings{"db.a.test", "db"});
  const std::string longest(250, 'x');
  CHECK(search_names(config, longest) == Strings{longest});
}

}  // namespace penstock::discovery
