#include "catch.hpp"
#include "tidy/rules.hpp"

namespace penstock::tidy {

TEST_CASE("an include upwards or sideways is found", "[tidy]") {
  const Rule rule = includes_only_lower_floors;
  REQUIRE(bites(rule, "proxy/relay/a.cpp", "#include \"session/b.hpp\"\n"));
  REQUIRE(bites(rule, "proxy/relay/a.hpp", "#include \"upstream/b.hpp\"\n"));
  REQUIRE(bites(rule, "proxy/wire/a.cpp", "#include \"os/fd.hpp\"\n"));
  REQUIRE(bites(rule, "proxy/base/a.cpp", "#include \"os/fd.hpp\"\n"));
  REQUIRE(bites(rule, "proxy/runtime/a.cpp", "#include \"control/config.hpp\"\n"));
}

TEST_CASE("an include downwards or from the own floor is right", "[tidy]") {
  const Rule rule = includes_only_lower_floors;
  REQUIRE_FALSE(bites(rule, "proxy/relay/a.cpp", "#include \"relay/a.hpp\"\n"));
  REQUIRE_FALSE(bites(rule, "proxy/files/a.cpp", "#include \"wire/b.hpp\"\n"));
  REQUIRE_FALSE(bites(rule, "proxy/session/a.cpp", "#include \"upstream/b.hpp\"\n"));
  REQUIRE_FALSE(bites(rule, "proxy/main.cpp", "#include \"control/config.hpp\"\n"));
  REQUIRE_FALSE(bites(rule, "proxy/base/a.cpp", "// #include \"os/fd.hpp\"\n"));
}

TEST_CASE("what the client of the admin knows of the server is found", "[tidy]") {
  const Rule rule = includes_only_lower_floors;
  REQUIRE(bites(rule, "proxy/control/ctl.cpp", "#include \"runtime/server.hpp\"\n"));
  REQUIRE(bites(rule, "proxy/control/ctl.cpp", "#include \"session/counters.hpp\"\n"));
  REQUIRE(bites(rule, "proxy/control/ctl_client.hpp", "#include \"upstream/hash.hpp\"\n"));
  REQUIRE(bites(rule, "proxy/control/ctl_text.cpp", "#include \"control/numa_report.hpp\"\n"));
  REQUIRE(bites(rule, "proxy/control/numa_text.hpp", "#include \"control/numa_report.hpp\"\n"));
  REQUIRE_FALSE(bites(rule, "proxy/control/ctl.cpp", "#include \"control/numa_text.hpp\"\n"));
  REQUIRE_FALSE(bites(rule, "proxy/control/ctl.cpp", "#include \"control/ctl_client.hpp\"\n"));
  REQUIRE_FALSE(bites(rule, "proxy/control/ctl.cpp", "#include \"os/clock.hpp\"\n"));
  REQUIRE_FALSE(bites(rule, "proxy/control/ctl.hpp", "#include \"base/time.hpp\"\n"));
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
  REQUIRE(bites(rule, "proxy/control/admin.cpp", "#include <yaml-cpp/yaml.h>\n"));
  REQUIRE(bites(rule, "proxy/control/config.cpp", "#include <boost/beast.hpp>\n"));
  REQUIRE(bites(rule, "proxy/control/log.cpp", "#include <spdlog/spdlog.h>\n"));
  REQUIRE(bites(rule, "proxy/session/a.cpp", "#include <fmt/format.h>\n"));
  REQUIRE(bites(rule, "proxy/control/config.cpp", "#include <CLI/CLI.hpp>\n"));
  REQUIRE(bites(rule, "proxy/runtime/forwarder.cpp", "#include <boost/asio/io_context.hpp>\n"));
  REQUIRE(bites(rule, "proxy/session/a.cpp", "#include <boost/json.hpp>\n"));
  REQUIRE(bites(rule, "proxy/upstream/cluster.hpp", "#include <boost/asio/io_context.hpp>\n"));
  REQUIRE(bites(rule, "proxy/control/admin.cpp", "#include <openssl/ssl.h>\n"));
  REQUIRE(bites(rule, "proxy/base/a.cpp", "#include <catch2/catch.hpp>\n"));
  REQUIRE(bites(rule, "proxy/base/a.cpp", "#include <unheard/of.hpp>\n"));
}

TEST_CASE("a library behind its door is right", "[tidy]") {
  const Rule rule = libraries_behind_their_doors;
  REQUIRE_FALSE(bites(rule, "proxy/os/numa.cpp", "#include <numa.h>\n#include <numaif.h>\n"));
  REQUIRE_FALSE(bites(rule, "proxy/os/sandbox.cpp", "#include <seccomp.h>\n"));
  REQUIRE_FALSE(bites(rule, "proxy/upstream/discovery_dns.cpp", "#include <ares.h>\n"));
  REQUIRE_FALSE(bites(rule, "proxy/control/config_read.cpp", "#include <yaml-cpp/yaml.h>\n"));
  REQUIRE_FALSE(bites(rule, "proxy/control/ctl.cpp", "#include <boost/beast/http.hpp>\n"));
  REQUIRE_FALSE(bites(rule, "proxy/runtime/acceptor.hpp", "#include <boost/asio.hpp>\n"));
  REQUIRE_FALSE(bites(rule, "proxy/upstream/health_link.hpp", "#include <boost/asio.hpp>\n"));
  REQUIRE_FALSE(bites(rule, "proxy/upstream/health_tls.cpp", "#include <openssl/ssl.h>\n"));
  REQUIRE_FALSE(bites(rule, "proxy/base/a.hpp", "#include <boost/system/result.hpp>\n"));
  REQUIRE_FALSE(bites(rule, "proxy/base/a.hpp", "#include <vector>\n"));
}

TEST_CASE("a library that is slow to parse is found in a header", "[tidy]") {
  const Rule rule = heavy_libraries_only_in_sources;
  REQUIRE(bites(rule, "proxy/control/life.hpp", "#include <boost/asio/steady_timer.hpp>\n"));
  REQUIRE(bites(rule, "proxy/control/life.hpp", "#include <boost/asio.hpp>\n"));
  REQUIRE(bites(rule, "proxy/upstream/health_watch.hpp", "#include <boost/asio/post.hpp>\n"));
  REQUIRE(bites(rule, "proxy/control/admin_server.hpp", "#include <boost/asio/io_context.hpp>\n"));
  REQUIRE(bites(rule, "proxy/control/ctl_client.hpp", "#include <boost/beast/http.hpp>\n"));
  REQUIRE(bites(rule, "proxy/control/admin_view.hpp", "#include <boost/json/value.hpp>\n"));
}

TEST_CASE("a library that is slow to parse is right in a .cpp, at a door and by name", "[tidy]") {
  const Rule rule = heavy_libraries_only_in_sources;
  REQUIRE_FALSE(bites(rule, "proxy/control/io_work.cpp", "#include <boost/asio.hpp>\n"));
  REQUIRE_FALSE(bites(rule, "proxy/upstream/health_link.hpp", "#include <boost/asio.hpp>\n"));
  REQUIRE_FALSE(bites(rule, "proxy/control/admin_view.hpp", "#include <boost/json/fwd.hpp>\n"));
  REQUIRE_FALSE(bites(rule, "proxy/control/life.hpp", "#include <boost/system/result.hpp>\n"));
  REQUIRE_FALSE(bites(rule, "proxy/control/life.hpp", "// #include <boost/asio.hpp>\n"));
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
