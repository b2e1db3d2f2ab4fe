// What one answer of a name server means for connections: which names are asked for, which
// addresses become endpoints, and how long an address lives on that is named no more.

#include <algorithm>

#include "catch.hpp"
#include "e2e/name_server.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/penstock.hpp"
#include "e2e/resolving.hpp"
#include "e2e/servers.hpp"
#include "e2e/talk.hpp"
#include "e2e/upstreams.hpp"
#include "e2e/waiting.hpp"

using namespace penstock::e2e;

TEST_CASE("the first search domain that has a name decides for both families", "[discovery]") {
  if (no_name_server()) return;
  const std::string port = port_of(free_address());
  Origin ours{"127.0.0.2:" + port};
  ours.serve(say("P"));
  NameServer server{"127.0.0.2 app.prod.test\n::1 app.corp.test\n"};
  Resolving proxy{dns("app", port), "", "search prod.test corp.test\noptions ndots:5\n"};
  proxy.wait_for_resolution("ok", 2);
  CHECK(identities_of(proxy.penstock()) == std::vector<std::string>{ours.address()});
  CHECK(answers_of(proxy.penstock(), 4) == "PPPP");
}

TEST_CASE("0.0.0.0 of a name server is left out, for it is this host", "[discovery]") {
  if (no_name_server()) return;
  const std::string port = port_of(free_address());
  Origin good{"127.0.0.2:" + port};
  Origin here{"127.0.0.1:" + port};
  good.serve(say("G"));
  here.serve(say("H"));
  NameServer server{"127.0.0.2 app.test\n0.0.0.0 app.test\n:: app.test\n224.0.0.1 app.test\n"};
  Resolving proxy{dns("app.test", port)};
  CHECK(identities_of(proxy.penstock()) == std::vector<std::string>{good.address()});
  CHECK(answers_of(proxy.penstock(), 4) == "GGGG");
  wait_for_words(proxy.penstock(), "where nobody can be connected to: left out");
}

TEST_CASE("who is named no more gets no new connections, and keeps those that live",
          "[discovery]") {
  if (no_name_server()) return;
  const std::string port = port_of(free_address());
  Origin a{"127.0.0.2:" + port};
  Origin b{"127.0.0.3:" + port};
  NameServer server{"127.0.0.2 app.test\n127.0.0.3 app.test\n"};
  Resolving proxy{dns("app.test", port), "on_remove: close"};
  Penstock& penstock = proxy.penstock();
  wait_for_endpoints(penstock, {a.address(), b.address()});
  std::vector<Talk> both = talk_to_both(penstock, a, b);
  server.change_to("127.0.0.2 app.test\n");
  wait_for_endpoints(penstock, {a.address()});
  Peer next = penstock.client();
  a.accept();
  CHECK_FALSE(b.somebody_waits());
  proxy.wait_for_resolution("ok", proxy.resolutions("ok") + 2);
  both[1].goes_on();
  server.change_to("127.0.0.2 app.test\n127.0.0.3 app.test\n");
  wait_for_endpoints(penstock, {a.address(), b.address()});
  CHECK(number_of(endpoint_of(penstock, b.address()), "active") == 1);
  both[1].goes_on();
}

TEST_CASE("on_remove acts `forget_after` after an address was last named", "[discovery]") {
  if (no_name_server()) return;
  const std::string port = port_of(free_address());
  Origin a{"127.0.0.2:" + port};
  Origin b{"127.0.0.3:" + port};
  NameServer server{"127.0.0.2 app.test\n127.0.0.3 app.test\n"};
  Resolving proxy{dns("app.test", port, "forget_after: 3s"), "on_remove: close"};
  Penstock& penstock = proxy.penstock();
  wait_for_endpoints(penstock, {a.address(), b.address()});
  std::vector<Talk> both = talk_to_both(penstock, a, b);
  server.change_to("127.0.0.2 app.test\n");
  wait_for_endpoints(penstock, {a.address()});
  CHECK(both[1].client.receive_all().ending == Ending::reset);
  CHECK(text_of(penstock.record_of(both[1].client), "reason") == "endpoint_removed");
  both[0].goes_on();
}

TEST_CASE("an address that rotating answers name now and then stays, as gone_after says",
          "[discovery]") {
  if (no_name_server()) return;
  const std::string port = port_of(free_address());
  Origin a{"127.0.0.2:" + port};
  Origin b{"127.0.0.3:" + port};
  NameServer server{"127.0.0.2 app.test\n"};
  Resolving proxy{dns("app.test", port, "gone_after: 100")};
  Penstock& penstock = proxy.penstock();
  wait_for_endpoints(penstock, {a.address()});
  server.change_to("127.0.0.3 app.test\n");
  wait_for_endpoints(penstock, {a.address(), b.address()});
  proxy.wait_for_resolution("ok", proxy.resolutions("ok") + 2);
  CHECK(identities_of(penstock).size() == 2);
}

TEST_CASE("a name that is gone loses its endpoints after nx_hold, with a warning", "[discovery]") {
  if (no_name_server()) return;
  Origin a;
  a.serve(say("A"));
  NameServer server{"127.0.0.1 app.test\n"};
  Resolving proxy{dns("app.test", port_of(a.address()), "nx_hold: 2s")};
  Penstock& penstock = proxy.penstock();
  wait_for_endpoints(penstock, {a.address()});
  server.change_to("");
  wait_for_words(penstock, "stay in use until that has lasted for nx_hold");
  CHECK(answer_of(penstock) == "A");
  wait_for_words(penstock, "and that has lasted for nx_hold");
  wait_for_endpoints(penstock, {});
  server.change_to("127.0.0.1 app.test\n");
  wait_for_endpoints(penstock, {a.address()});
}

TEST_CASE("a failed connection asks for the name again, long before its TTL is over",
          "[discovery]") {
  if (no_name_server()) return;
  const std::string port = port_of(free_address());
  Origin b{"127.0.0.3:" + port};
  b.serve(say("B"));
  NameServer server{"127.0.0.2 app.test\n", {"--local-ttl=3600"}};
  Resolving proxy{"{dns: \"app.test:" + port + "\"}"};  // kept for a minute
  Penstock& penstock = proxy.penstock();
  wait_for_endpoints(penstock, {"127.0.0.2:" + port});
  server.change_to("127.0.0.3 app.test\n");
  wait_until("a client that meets nobody brings the new address", [&] {
    static_cast<void>(penstock.client().receive_all());
    return identities_of(penstock) == std::vector<std::string>{b.address()};
  });
  CHECK(answer_of(penstock) == "B");
}

TEST_CASE("an endpoint that is named before its port answers is tried, not taken for down",
          "[discovery]") {
  if (no_name_server()) return;
  const std::string port = port_of(free_address());
  NameServer server{"127.0.0.2 app.test\n"};
  Resolving proxy{dns("app.test", port), "health_check: {interval: 2s, timeout: 1s, fall: 20}"};
  Penstock& penstock = proxy.penstock();
  const std::string identity = "127.0.0.2:" + port;
  penstock.wait_for_metric("penstock_health_checks_total",
                           {{"upstream", "app"}, {"endpoint", identity}, {"result", "refused"}}, 1);
  CHECK(text_of(endpoint_of(penstock, identity), "state") == "unknown");
  Origin late{identity};
  late.serve(say("L"));
  CHECK(answer_of(penstock) == "L");
}
