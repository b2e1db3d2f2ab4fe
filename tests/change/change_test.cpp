#include "change/change.hpp"

#include "config/broken_config.hpp"

using namespace penstock;
using config::good_config;

namespace {

using Sentences = std::vector<std::string>;

const std::string web = "  - {name: web, bind: 127.0.0.1:80, upstream: app}\n";
const std::string mail = "  - {name: mail, bind: 127.0.0.1:25, upstream: app}\n";
const std::string app = "  app: {endpoints: [10.0.0.1:80, 10.0.0.2:80]}\n";

std::string text_of(const std::string& listeners, const std::string& upstreams = app,
                    const std::string& more = "") {
  return "listeners:\n" + listeners + "upstreams:\n" + upstreams + more;
}

change::Change between(const std::string& running, const std::string& next) {
  return change::difference(good_config(running), good_config(next));
}

Sentences said(const std::string& running, const std::string& next) {
  const change::Change change = between(running, next);
  const Sentences sentences = change::sentences_of(change);
  CHECK(change.is_empty() == sentences.empty());
  return sentences;
}

Sentences said_of_upstream(const std::string& running, const std::string& next) {
  return said(text_of(web, "  app: {" + running + "}\n"), text_of(web, "  app: {" + next + "}\n"));
}

Sentences said_of_the_rest(const std::string& running, const std::string& next) {
  return said(text_of(web, app, running), text_of(web, app, next));
}

}  // namespace

TEST_CASE("what is written in another way changes nothing", "[change]") {
  CHECK(said(text_of(web), text_of(web)) == Sentences{});
  CHECK(said(text_of(web + mail), text_of(mail + web)) == Sentences{});
  CHECK(said_of_upstream("endpoints: [10.0.0.1:80]",
                         "endpoints: [{address: 10.0.0.1:80, weight: 1}], queue: {timeout: 5s}") ==
        Sentences{});
  const change::Change change = between(text_of(web + mail), text_of(mail + web));
  REQUIRE(change.listeners.size() == 2);
  CHECK(change.listeners[0].name == "mail");
  CHECK(change.listeners[0].fate == change::Fate::kept);
  REQUIRE(change.upstreams.size() == 1);
  CHECK(change.upstreams[0].fate == change::Fate::kept);
}

TEST_CASE("a listener comes with its sockets and goes with them", "[change]") {
  CHECK(said(text_of(web), text_of(web + mail)) ==
        Sentences{"listener mail: added; opens 127.0.0.1:25"});
  CHECK(said(text_of(web + mail), text_of(mail)) ==
        Sentences{"listener web: removed; closes 127.0.0.1:80"});
}

TEST_CASE("rules of a listener change by their keys, and its sockets stay", "[change]") {
  CHECK(said(text_of(web),
             text_of("  - {name: web, bind: 127.0.0.1:80, upstream: app, idle_timeout: 5m, "
                     "keepalive: {count: 3}}\n")) ==
        Sentences{"listener web: changed (idle_timeout, keepalive)"});
  CHECK(said_of_the_rest("", "defaults: {no_delay: false}") ==
        Sentences{"listener web: changed (no_delay)"});
  CHECK(said(text_of(web), text_of("  - {name: web, bind: 127.0.0.1:80, files: {root: .}}\n")) ==
        Sentences{"listener web: changed (upstream, files)"});
}

TEST_CASE("of a listener that binds elsewhere only those sockets change", "[change]") {
  CHECK(said(text_of("  - {name: web, bind: [127.0.0.1:80, 127.0.0.1:81], upstream: app}\n"),
             text_of("  - {name: web, bind: [127.0.0.1:82, 127.0.0.1:80], upstream: app}\n")) ==
        Sentences{"listener web: changed; opens 127.0.0.1:82; closes 127.0.0.1:81"});
}

TEST_CASE("a listener that is renamed keeps its sockets", "[change]") {
  const std::string front = "  - {name: front, bind: 127.0.0.1:80, upstream: app}\n";
  CHECK(said(text_of(web), text_of(front)) ==
        Sentences{"listener front: changed; was web until now"});
  CHECK(said(text_of(web + mail), text_of(mail + front)) ==
        Sentences{"listener front: changed; was web until now"});
  CHECK(said(text_of(web), text_of("  - {name: front, bind: [127.0.0.1:80, 127.0.0.1:81], "
                                   "upstream: app, max_connections: 5}\n")) ==
        Sentences{"listener front: changed (max_connections); was web until now; "
                  "opens 127.0.0.1:81"});
  // By its bind, where it has no name.
  CHECK(said(text_of("  - {bind: 127.0.0.1:80, upstream: app}\n"), text_of(web)) ==
        Sentences{"listener web: changed; was 127.0.0.1:80 until now"});
}

TEST_CASE("a port changes hands between two listeners without being closed", "[change]") {
  CHECK(
      said(text_of(web + mail), text_of("  - {name: web, bind: 127.0.0.1:25, upstream: app}\n"
                                        "  - {name: mail, bind: 127.0.0.1:80, upstream: app}\n")) ==
      Sentences{
          "listener web: changed; takes over 127.0.0.1:25 from mail; gives away 127.0.0.1:80",
          "listener mail: changed; takes over 127.0.0.1:80 from web; gives away 127.0.0.1:25"});
  // Nobody is renamed here: the one that binds it stays, with the port that it had.
  CHECK(said(text_of(web + mail),
             text_of("  - {name: web, bind: [127.0.0.1:80, 127.0.0.1:25], upstream: app}\n")) ==
        Sentences{"listener web: changed; takes over 127.0.0.1:25 from mail",
                  "listener mail: removed; gives away 127.0.0.1:25"});
  CHECK(said(text_of("  - {name: both, bind: [127.0.0.1:80, 127.0.0.1:25], upstream: app}\n"),
             text_of(web + mail)) ==
        Sentences{"listener web: changed; was both until now; gives away 127.0.0.1:25",
                  "listener mail: added; takes over 127.0.0.1:25 from both"});
}

TEST_CASE("what can be said only before a bind opens the socket anew", "[change]") {
  const auto listener = [](const std::string& more) {
    return text_of("  - {name: web, bind: ['unix:@a', '[::]:80', '127.0.0.1:81'], upstream: app" +
                   more + "}\n");
  };
  CHECK(said(listener(""), listener(", v6_only: true")) ==
        Sentences{"listener web: changed (v6_only); opens [::]:80; closes [::]:80"});
  CHECK(said(listener(""), listener(", backlog: 5")) ==
        Sentences{"listener web: changed (backlog)"});
  const std::string path = "  - {name: web, bind: 'unix:/run/a', upstream: app, mode: ";
  CHECK(said(text_of(path + "0600}\n"), text_of(path + "0660}\n")) ==
        Sentences{"listener web: changed (mode); opens unix:/run/a; closes unix:/run/a"});
}

TEST_CASE("upstreams come, go and change by their keys", "[change]") {
  CHECK(said(text_of(web), text_of(web, app + "  more: {endpoints: [10.0.1.1:80]}\n")) ==
        Sentences{"upstream more: added"});
  CHECK(said(text_of(web, app + "  more: {endpoints: [10.0.1.1:80]}\n"), text_of(web)) ==
        Sentences{"upstream more: removed"});
  CHECK(said_of_upstream("endpoints: [10.0.0.1:80]",
                         "endpoints: [10.0.0.1:80], balance: maglev, connect: {attempts: 2}, "
                         "outlier: {}, health_check: {}") ==
        Sentences{"upstream app: changed (balance, outlier, connect, health_check)"});
}

TEST_CASE("from where an upstream connects is one key, for its checks too", "[change]") {
  const std::string checked = "endpoints: [10.0.0.1:80], health_check: {}";
  CHECK(said_of_upstream(checked, checked + ", source_address: 10.0.0.9") ==
        Sentences{"upstream app: changed (source_address)"});
}

TEST_CASE("endpoints come, go and change each by itself", "[change]") {
  CHECK(said_of_upstream(
            "endpoints: [10.0.0.1:80, 10.0.0.2:80]",
            "endpoints: [{address: 10.0.0.2:80, weight: 5, priority: 2}, 10.0.0.3:80]") ==
        Sentences{"upstream app: changed; endpoints: 10.0.0.2:80 changed (weight, priority), "
                  "10.0.0.3:80 added, 10.0.0.1:80 removed"});
  // The name is who it is, wherever it is.
  CHECK(said_of_upstream("endpoints: [{address: 10.0.0.1:80, name: blue}]",
                         "endpoints: [{address: 10.0.0.9:80, name: blue}]") ==
        Sentences{"upstream app: changed; endpoints: blue changed (address)"});
}

TEST_CASE("sources of endpoints are compared as endpoints are", "[change]") {
  CHECK(said_of_upstream("endpoints: [{dns: 'a.example:80'}, {file: e.yaml}]",
                         "endpoints: [{dns: 'a.example:80', refresh: 9s}, {file: f.yaml}]") ==
        Sentences{"upstream app: changed; endpoints: dns a.example:80, type a changed (refresh), "
                  "file f.yaml added, file e.yaml removed"});
  // One name twice: what is the same stays the same.
  CHECK(said_of_upstream(
            "endpoints: [{dns: 'a.example:80', family: v4}, {dns: 'a.example:80', family: v6}]",
            "endpoints: [{dns: 'a.example:80', family: v6}]") ==
        Sentences{"upstream app: changed; endpoints: dns a.example:80, type a removed"});
}

TEST_CASE("another order of the endpoints that stay is a change", "[change]") {
  CHECK(said_of_upstream("endpoints: [10.0.0.1:80, 10.0.0.2:80]",
                         "endpoints: [10.0.0.2:80, 10.0.0.1:80]") ==
        Sentences{"upstream app: changed (order of endpoints)"});
  CHECK(said_of_upstream("endpoints: [10.0.0.1:80, 10.0.0.2:80, 10.0.0.3:80]",
                         "endpoints: [10.0.0.1:80, 10.0.0.4:80, 10.0.0.3:80]") ==
        Sentences{"upstream app: changed; endpoints: 10.0.0.4:80 added, 10.0.0.2:80 removed"});
}

TEST_CASE("of many endpoints the first are named and the rest is a number", "[change]") {
  std::string endpoints = "endpoints: [10.0.0.1:80";
  for (int i = 1; i <= 10; ++i) endpoints += ", 10.0.1." + std::to_string(i) + ":80";
  const Sentences sentences = said_of_upstream("endpoints: [10.0.0.1:80]", endpoints + "]");
  REQUIRE(sentences.size() == 1);
  CHECK(sentences[0].ends_with("10.0.1.7:80 added, 10.0.1.8:80 added and 2 more"));
}

TEST_CASE("what concerns the whole process is told by its key", "[change]") {
  CHECK(said_of_the_rest("",
                         "runtime: {max_connections: 5, drain: {timeout: 1s}}\n"
                         "log: {level: debug, access: {events: [open]}}\n"
                         "admin: {bind: 127.0.0.1:9900}\n") ==
        Sentences{"runtime.max_connections: changed", "runtime.drain: changed", "admin: changed",
                  "log.level: changed", "log.access.events: changed"});
}

TEST_CASE("what is settled once the threads run needs a restart", "[change]") {
  CHECK(said_of_the_rest("",
                         "runtime: {forwarders: 3, pin: cpu, sandbox: off}\n"
                         "relay: {engine: uring, max_pipes: 5}\n") ==
        Sentences{"relay.max_pipes: changed", "relay.engine: needs a restart",
                  "runtime.forwarders: needs a restart", "runtime.pin: needs a restart",
                  "runtime.sandbox: needs a restart"});
  CHECK(said_of_the_rest("runtime: {forwarders: 3}", "runtime: {forwarders: {0: 3}}") ==
        Sentences{"runtime.forwarders: needs a restart"});
}
