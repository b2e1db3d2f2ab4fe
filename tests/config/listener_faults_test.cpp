#include "config/broken_config.hpp"

namespace penstock::config {

namespace {

const std::vector<BrokenConfig> broken_listeners = {
    {with_upstream(""), {"f.yaml:1:1: listeners: missing"}},
    {"listeners:\n", {"f.yaml:1:1: listeners: expected a list, found nothing"}},
    {"listeners: []\n", {"f.yaml:1:12: listeners: expected at least one listener"}},
    {"listeners: {a: 1}\n", {"f.yaml:1:12: listeners: expected a list, found a map"}},
    {"listeners: [web]\n", {"f.yaml:1:13: listeners[0]: expected a map, found a single value"}},
    {with_upstream("listeners:\n  - upstream: web\n"), {"f.yaml:2:5: listeners[0].bind: missing"}},
    {"listeners:\n  - bind: 127.0.0.1:80\n",
     {"f.yaml:2:5: listeners[0]: upstream or files is missing; exactly one of them says where "
      "connections go"}},
    {listener_with("files: {root: /srv}"),
     {"f.yaml:2:5: listeners[0]: has both upstream and files; exactly one of them says where "
      "connections go"}},
    {listener_with("max_conections: 5"),
     {"f.yaml:4:5: listeners[0].max_conections: unknown key; did you mean 'max_connections'?"}},
    {listener_with("zzz: 5"), {"f.yaml:4:5: listeners[0].zzz: unknown key"}},
    {listener_with("bind: 127.0.0.1:81"),
     {"f.yaml:4:5: listeners[0].bind: duplicate key; the first one is at 2:5"}},
    {with_upstream("x-a: &a {max_connections: 1}\nlisteners:\n  - bind: 127.0.0.1:80\n    "
                   "upstream: web\n    <<: *a\n"),
     {"f.yaml:5:5: listeners[0].<<: merge keys are not supported; use an alias for the whole map"}},
    {listener_with("routes: []\naccess: {allow: [10.0.0.0/8]}\ntransparent: false"),
     {"f.yaml:4:5: listeners[0].routes: not supported yet",
      "f.yaml:5:5: listeners[0].access: not supported yet",
      "f.yaml:6:5: listeners[0].transparent: not supported yet"}},
    {"listeners:\n  - bind: 127.0.0.1:80\n    routes: []\n",
     {"f.yaml:3:5: listeners[0].routes: not supported yet"}},
    {listener_with("mode: 0999"),
     {"f.yaml:4:5: listeners[0].mode: only a bind to unix:/path has a mode",
      "f.yaml:4:11: listeners[0].mode: expected an octal mode from 0 to 0777, not '0999'"}},
    {listener_with("mode: 0600"),
     {"f.yaml:4:5: listeners[0].mode: only a bind to unix:/path has a mode"}},
    {listener_with("v6_only: true"),
     {"f.yaml:4:5: listeners[0].v6_only: no bind of this listener is an IPv6 address"}},
    {bound_to("127.0.0.1"),
     {"f.yaml:2:11: listeners[0].bind: expected host:port, [v6]:port, host:first-last or "
      "unix:/path, with ports from 1 to 65535, not '127.0.0.1'"}},
    {bound_to("127.0.0.1:0"),
     {"f.yaml:2:11: listeners[0].bind: expected host:port, [v6]:port, host:first-last or "
      "unix:/path, with ports from 1 to 65535, not '127.0.0.1:0'"}},
    {bound_to("127.0.0.1:65536"),
     {"f.yaml:2:11: listeners[0].bind: expected host:port, [v6]:port, host:first-last or "
      "unix:/path, with ports from 1 to 65535, not '127.0.0.1:65536'"}},
    {bound_to("300.1.1.1:80"),
     {"f.yaml:2:11: listeners[0].bind: '300.1.1.1' is neither an IP address nor a host name"}},
    {bound_to("\"*:80\""),
     {"f.yaml:2:11: listeners[0].bind: write 0.0.0.0 or [::] for every address"}},
    {bound_to("127.0.0.1:90-80"),
     {"f.yaml:2:11: listeners[0].bind: the port range '127.0.0.1:90-80' goes backwards"}},
    {bound_to("127.0.0.1:1-60000"),
     {"f.yaml:2:11: listeners[0].bind: the port range '127.0.0.1:1-60000' has more than 1024 "
      "ports"}},
    {bound_to("\"a b:80\""),
     {"f.yaml:2:11: listeners[0].bind: 'a b' is neither an IP address nor a host name"}},
    {bound_to("unix:run/x"),
     {"f.yaml:2:11: listeners[0].bind: the path of a unix socket starts with / or, if abstract, "
      "with @"}},
    {bound_to("unix:/"
              "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
              "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
     {"f.yaml:2:11: listeners[0].bind: the path of a unix socket has at most 107 bytes"}},
    {bound_to("[]"), {"f.yaml:2:11: listeners[0].bind: expected at least one address"}},
    {bound_to("[127.0.0.1:80, 127.0.0.1:80]"),
     {"f.yaml:2:26: listeners[0].bind[1]: '127.0.0.1:80' cannot be bound beside '127.0.0.1:80' of "
      "listener '127.0.0.1:80'"}},
    {bound_to("{a: 1}"), {"f.yaml:2:11: listeners[0].bind: expected a single value, found a map"}},
    {with_upstream("listeners:\n  - bind: 127.0.0.1:80\n    upstream: wbe\n"),
     {"f.yaml:3:15: listeners[0].upstream: there is no upstream 'wbe'; did you mean 'web'?"}},
    {with_upstream("listeners:\n  - {name: a, bind: \"127.0.0.1:80\", upstream: web}\n  - {name: "
                   "a, bind: \"127.0.0.1:81\", upstream: web}\n"),
     {"f.yaml:3:12: listeners[1].name: another listener has the name 'a' already"}},
    {with_upstream("listeners:\n  - {name: a, bind: \"0.0.0.0:80\", upstream: web}\n  - {name: b, "
                   "bind: \"127.0.0.1:80\", upstream: web}\n"),
     {"f.yaml:3:21: listeners[1].bind: '127.0.0.1:80' cannot be bound beside '0.0.0.0:80' of "
      "listener 'a'"}},
    {with_upstream("listeners:\n  - {name: a, bind: \"[::]:80\", upstream: web}\n  - {name: b, "
                   "bind: \"127.0.0.1:80\", upstream: web}\n"),
     {"f.yaml:3:21: listeners[1].bind: '127.0.0.1:80' cannot be bound beside '[::]:80' of listener "
      "'a'; [::] takes IPv4 too, unless its listener has v6_only: true"}},
    {"listeners:\n  - bind: 127.0.0.1:80\n    files: {index: /x, max_age: 1, open_files: 0}\n",
     {"f.yaml:3:12: listeners[0].files.root: missing",
      "f.yaml:3:20: listeners[0].files.index: expected a path below root, not '/x'",
      "f.yaml:3:33: listeners[0].files.max_age: expected a duration, an integer with us, ms, s, m "
      "or h, not '1'",
      "f.yaml:3:48: listeners[0].files.open_files: expected a whole number from 1 to 1000000, "
      "not '0'"}},
    {with_part("listener: []"), {"f.yaml:7:1: listener: unknown key; did you mean 'listeners'?"}},
    {listener_with("x-a: 1"), {"f.yaml:4:5: listeners[0].x-a: unknown key"}},
};

}  // namespace

TEST_CASE("what is wrong with a listener is said at the key, the value or the map that is meant",
          "[config]") {
  check_faults(broken_listeners);
}

}  // namespace penstock::config
