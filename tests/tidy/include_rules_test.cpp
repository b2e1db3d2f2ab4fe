#include "catch.hpp"
#include "tidy/rules.hpp"

namespace penstock::tidy {

TEST_CASE("an include upwards or sideways is found", "[tidy]") {
  const Rule rule = includes_only_lower_floors;
  REQUIRE(bites(rule, "proxy/relay/a.cpp", "#include \"session/b.hpp\"\n"));
  REQUIRE(bites(rule, "proxy/relay/a.hpp", "#include \"upstream/b.hpp\"\n"));
  REQUIRE(bites(rule, "proxy/wire/a.cpp", "#include \"os/fd.hpp\"\n"));
  REQUIRE(bites(rule, "proxy/base/a.cpp", "#include \"os/fd.hpp\"\n"));
  REQUIRE(bites(rule, "proxy/runtime/a.cpp", "#include \"control/lifecycle.hpp\"\n"));
  REQUIRE(bites(rule, "proxy/upstream/a.cpp", "#include \"health/spec.hpp\"\n"));
  REQUIRE(bites(rule, "proxy/upstream/a.cpp", "#include \"io/alarm.hpp\"\n"));
  REQUIRE(bites(rule, "proxy/health/a.cpp", "#include \"discovery/dns.hpp\"\n"));
  REQUIRE(bites(rule, "proxy/report/metrics/a.cpp", "#include \"admin/router.hpp\"\n"));
  REQUIRE(bites(rule, "proxy/admin/a.cpp", "#include \"config/config.hpp\"\n"));
  REQUIRE(bites(rule, "proxy/admin/a.cpp", "#include \"report/options.hpp\"\n"));
  REQUIRE(bites(rule, "proxy/budget/a.cpp", "#include \"config/config.hpp\"\n"));
  REQUIRE(bites(rule, "proxy/control/run.hpp", "#include \"cli/command_line.hpp\"\n"));
}

TEST_CASE("an include downwards or from the own floor is right", "[tidy]") {
  const Rule rule = includes_only_lower_floors;
  REQUIRE_FALSE(bites(rule, "proxy/relay/a.cpp", "#include \"relay/a.hpp\"\n"));
  REQUIRE_FALSE(bites(rule, "proxy/files/a.cpp", "#include \"wire/b.hpp\"\n"));
  REQUIRE_FALSE(bites(rule, "proxy/session/a.cpp", "#include \"upstream/b.hpp\"\n"));
  REQUIRE_FALSE(bites(rule, "proxy/health/a.cpp", "#include \"io/alarm.hpp\"\n"));
  REQUIRE_FALSE(bites(rule, "proxy/report/numa/a.cpp", "#include \"report/table.hpp\"\n"));
  REQUIRE_FALSE(bites(rule, "proxy/control/a.cpp", "#include \"config/config.hpp\"\n"));
  REQUIRE_FALSE(bites(rule, "proxy/cli/check.cpp", "#include \"config/config.hpp\"\n"));
  REQUIRE_FALSE(bites(rule, "proxy/main.cpp", "#include \"cli/command_line.hpp\"\n"));
  REQUIRE_FALSE(bites(rule, "proxy/base/a.cpp", "// #include \"os/fd.hpp\"\n"));
}

TEST_CASE("who asks health or discovery beside control is found", "[tidy]") {
  const Rule rule = includes_only_lower_floors;
  REQUIRE(bites(rule, "proxy/runtime/server.cpp", "#include \"health/watch.hpp\"\n"));
  REQUIRE(bites(rule, "proxy/report/upstreams.cpp", "#include \"health/words.hpp\"\n"));
  REQUIRE(bites(rule, "proxy/cli/explain.cpp", "#include \"discovery/dns.hpp\"\n"));
  REQUIRE_FALSE(bites(rule, "proxy/control/a.cpp", "#include \"health/watch.hpp\"\n"));
  REQUIRE_FALSE(bites(rule, "proxy/control/upstreams/a.hpp", "#include \"discovery/dns.hpp\"\n"));
  REQUIRE_FALSE(bites(rule, "proxy/health/a.cpp", "#include \"health/watch.hpp\"\n"));
}

TEST_CASE("what the configuration knows beside the options that it fills in is found", "[tidy]") {
  const Rule rule = includes_only_lower_floors;
  REQUIRE(bites(rule, "proxy/config/a.cpp", "#include \"runtime/server.hpp\"\n"));
  REQUIRE(bites(rule, "proxy/config/a.cpp", "#include \"upstream/registry.hpp\"\n"));
  REQUIRE(bites(rule, "proxy/config/yaml/a.cpp", "#include \"admin/server.hpp\"\n"));
  REQUIRE(bites(rule, "proxy/config/a.hpp", "#include \"control/options.hpp\"\n"));
  REQUIRE_FALSE(bites(rule, "proxy/config/a.hpp", "#include \"runtime/options.hpp\"\n"));
  REQUIRE_FALSE(bites(rule, "proxy/config/a.hpp", "#include \"admin/options.hpp\"\n"));
  REQUIRE_FALSE(bites(rule, "proxy/config/a.hpp", "#include \"upstream/spec.hpp\"\n"));
  REQUIRE_FALSE(bites(rule, "proxy/config/a.cpp", "#include \"os/address.hpp\"\n"));
  REQUIRE_FALSE(bites(rule, "proxy/config/a.cpp", "#include \"config/yaml/tree.hpp\"\n"));
}

TEST_CASE("what the client of the admin knows of the server is found", "[tidy]") {
  const Rule rule = includes_only_lower_floors;
  REQUIRE(bites(rule, "proxy/cli/ctl/verbs.cpp", "#include \"runtime/server.hpp\"\n"));
  REQUIRE(bites(rule, "proxy/cli/ctl/verbs.cpp", "#include \"session/counters.hpp\"\n"));
  REQUIRE(bites(rule, "proxy/cli/ctl/verbs.cpp", "#include \"cli/command_line.hpp\"\n"));
  REQUIRE(bites(rule, "proxy/cli/ctl/client.hpp", "#include \"upstream/hash.hpp\"\n"));
  REQUIRE(bites(rule, "proxy/cli/ctl/text.cpp", "#include \"report/numa/report.hpp\"\n"));
  REQUIRE(bites(rule, "proxy/report/numa/text.hpp", "#include \"report/numa/report.hpp\"\n"));
  REQUIRE_FALSE(bites(rule, "proxy/cli/ctl/verbs.cpp", "#include \"report/numa/text.hpp\"\n"));
  REQUIRE_FALSE(bites(rule, "proxy/cli/ctl/verbs.cpp", "#include \"cli/ctl/client.hpp\"\n"));
  REQUIRE_FALSE(bites(rule, "proxy/cli/ctl/verbs.cpp", "#include \"os/clock.hpp\"\n"));
  REQUIRE_FALSE(bites(rule, "proxy/cli/ctl/verbs.hpp", "#include \"base/time.hpp\"\n"));
  REQUIRE_FALSE(bites(rule, "proxy/control/run.cpp", "#include \"runtime/server.hpp\"\n"));
}

TEST_CASE("a file or an include without a floor is found", "[tidy]") {
  REQUIRE(bites(includes_only_lower_floors, "proxy/attic/a.cpp", ""));
  REQUIRE(bites(includes_only_lower_floors, "proxy/relay/a.cpp", "#include \"a.hpp\"\n"));
}

TEST_CASE("a library that is included beside its door is found", "[tidy]") {
  const Rule rule = libraries_behind_their_doors;
  REQUIRE(bites(rule, "proxy/runtime/a.cpp", "#include <numa.h>\n"));
  REQUIRE(bites(rule, "proxy/os/process.cpp", "#include <seccomp.h>\n"));
  REQUIRE(bites(rule, "proxy/upstream/cluster.cpp", "#include <ares.h>\n"));
  REQUIRE(bites(rule, "proxy/upstream/cluster.cpp", "#include <boost/asio/post.hpp>\n"));
  REQUIRE(bites(rule, "proxy/config/scalars.cpp", "#include <yaml-cpp/yaml.h>\n"));
  REQUIRE(bites(rule, "proxy/config/config.cpp", "#include <boost/beast.hpp>\n"));
  REQUIRE(bites(rule, "proxy/control/log.cpp", "#include <spdlog/spdlog.h>\n"));
  REQUIRE(bites(rule, "proxy/session/a.cpp", "#include <fmt/format.h>\n"));
  REQUIRE(bites(rule, "proxy/config/config.cpp", "#include <CLI/CLI.hpp>\n"));
  REQUIRE(bites(rule, "proxy/runtime/forwarder.cpp", "#include <boost/asio/io_context.hpp>\n"));
  REQUIRE(bites(rule, "proxy/session/a.cpp", "#include <boost/json.hpp>\n"));
  REQUIRE(bites(rule, "proxy/report/totals.cpp", "#include <boost/asio/post.hpp>\n"));
  REQUIRE(bites(rule, "proxy/control/lifecycle.cpp", "#include <boost/asio/post.hpp>\n"));
  REQUIRE(bites(rule, "proxy/cli/check.cpp", "#include <boost/beast/http.hpp>\n"));
  REQUIRE(bites(rule, "proxy/upstream/registry.cpp", "#include <openssl/ssl.h>\n"));
  REQUIRE(bites(rule, "proxy/upstream/cluster.hpp", "#include <boost/asio/io_context.hpp>\n"));
  REQUIRE(bites(rule, "proxy/admin/server.cpp", "#include <openssl/ssl.h>\n"));
  REQUIRE(bites(rule, "proxy/base/a.cpp", "#include <catch2/catch.hpp>\n"));
  REQUIRE(bites(rule, "proxy/base/a.cpp", "#include <unheard/of.hpp>\n"));
}

TEST_CASE("a library behind its door is right", "[tidy]") {
  const Rule rule = libraries_behind_their_doors;
  REQUIRE_FALSE(bites(rule, "proxy/os/numa.cpp", "#include <numa.h>\n#include <numaif.h>\n"));
  REQUIRE_FALSE(bites(rule, "proxy/os/sandbox.cpp", "#include <seccomp.h>\n"));
  REQUIRE_FALSE(bites(rule, "proxy/discovery/dns.cpp", "#include <ares.h>\n"));
  REQUIRE_FALSE(bites(rule, "proxy/config/yaml/tree.cpp", "#include <yaml-cpp/yaml.h>\n"));
  REQUIRE_FALSE(bites(rule, "proxy/cli/ctl/client.cpp", "#include <boost/beast/http.hpp>\n"));
  REQUIRE_FALSE(bites(rule, "proxy/runtime/acceptor.hpp", "#include <boost/asio.hpp>\n"));
  REQUIRE_FALSE(bites(rule, "proxy/health/link.hpp", "#include <boost/asio.hpp>\n"));
  REQUIRE_FALSE(bites(rule, "proxy/health/tls.cpp", "#include <openssl/ssl.h>\n"));
  REQUIRE_FALSE(bites(rule, "proxy/base/a.hpp", "#include <boost/system/result.hpp>\n"));
  REQUIRE_FALSE(bites(rule, "proxy/base/a.hpp", "#include <vector>\n"));
}

TEST_CASE("a library that is slow to parse is found in a header", "[tidy]") {
  const Rule rule = heavy_libraries_only_in_sources;
  REQUIRE(bites(rule, "proxy/control/lifecycle.hpp", "#include <boost/asio/steady_timer.hpp>\n"));
  REQUIRE(bites(rule, "proxy/control/lifecycle.hpp", "#include <boost/asio.hpp>\n"));
  REQUIRE(bites(rule, "proxy/health/watch.hpp", "#include <boost/asio/post.hpp>\n"));
  REQUIRE(bites(rule, "proxy/admin/server.hpp", "#include <boost/asio/io_context.hpp>\n"));
  REQUIRE(bites(rule, "proxy/cli/ctl/client.hpp", "#include <boost/beast/http.hpp>\n"));
  REQUIRE(bites(rule, "proxy/admin/api.hpp", "#include <boost/json/value.hpp>\n"));
}

TEST_CASE("a library that is slow to parse is right in a .cpp, at a door and by name", "[tidy]") {
  const Rule rule = heavy_libraries_only_in_sources;
  REQUIRE_FALSE(bites(rule, "proxy/io/work.cpp", "#include <boost/asio.hpp>\n"));
  REQUIRE_FALSE(bites(rule, "proxy/health/link.hpp", "#include <boost/asio.hpp>\n"));
  REQUIRE_FALSE(bites(rule, "proxy/admin/api.hpp", "#include <boost/json/fwd.hpp>\n"));
  REQUIRE_FALSE(bites(rule, "proxy/control/lifecycle.hpp", "#include <boost/system/result.hpp>\n"));
  REQUIRE_FALSE(bites(rule, "proxy/control/lifecycle.hpp", "// #include <boost/asio.hpp>\n"));
}

TEST_CASE("a header of the system outside os/ is found", "[tidy]") {
  const Rule rule = system_headers_only_in_os;
  REQUIRE(bites(rule, "proxy/session/a.cpp", "#include <sys/socket.h>\n"));
  REQUIRE(bites(rule, "proxy/control/a.cpp", "#include <unistd.h>\n"));
  REQUIRE(bites(rule, "proxy/main.cpp", "#include <fcntl.h>\n"));
  REQUIRE(bites(rule, "proxy/relay/a.cpp", "#include <netinet/tcp.h>\n"));
  REQUIRE(bites(rule, "proxy/relay/a.cpp", "#include <linux/filter.h>\n"));
  REQUIRE_FALSE(bites(rule, "proxy/os/a.cpp", "#include <sys/socket.h>\n"));
  REQUIRE_FALSE(bites(rule, "proxy/control/a.cpp", "#include <fmt/format.h>\n#include <ctime>\n"));
}

}  // namespace penstock::tidy
