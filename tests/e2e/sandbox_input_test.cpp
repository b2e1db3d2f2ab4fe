// What strangers and the system give a proxy to read makes no system call that nobody listed: under
// the strict sandbox one such call ends the process.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "catch.hpp"
#include "e2e/echo_process.hpp"
#include "e2e/name_server.hpp"
#include "e2e/penstock.hpp"
#include "e2e/servers.hpp"
#include "e2e/upstreams.hpp"

namespace penstock::e2e {

namespace {

namespace fs = std::filesystem;

bool skip_where_sanitized() {
  return skip_unless(!is_sanitized(), "the sandbox is off in builds with sanitizers");
}

void exchange(Penstock& penstock) {
  Peer client = penstock.client();
  client.send("ping");
  CHECK(client.read(4) == "ping");
}

// Whatever the answer is, there is one.
void ask(const Penstock& penstock, const std::string& method, const std::string& target,
         const std::string& host) {
  Peer client = Peer::connect(penstock.admin());
  client.send(method + ' ' + target + " HTTP/1.1\r\nHost: " + host +
              "\r\nConnection: close\r\n\r\n");
  CAPTURE(method, target, host);
  CHECK(client.receive_all().bytes.starts_with("HTTP/1.1 "));
}

// A terminal that nobody reads: its lines stay in the kernel.
class Terminal {
 public:
  Terminal() : master_{::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)} {
    if (master_ < 0 || ::unlockpt(master_) != 0) fail_with_errno("no terminal");
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() { ::close(master_); }
  std::string path() const {
    char name[64] = "";
    if (::ptsname_r(master_, name, sizeof name) != 0) fail_with_errno("no name of the terminal");
    return name;
  }

 private:
  const int master_;
};

void write_lines_to(const std::string& target) {
  CAPTURE(target);
  EchoProcess origin;
  Penstock penstock{
      {.endpoints = {origin.address()}, .runtime = "sandbox: strict", .access = target}};
  exchange(penstock);
  penstock.wait_for_metric("penstock_connections_closed_total", {}, 1);
  penstock.program().signal(SIGUSR1);
  exchange(penstock);
  penstock.wait_for_metric("penstock_connections_closed_total", {}, 2);
  penstock.stop();  // which flushes the log
}

}  // namespace

TEST_CASE("no request to the admin makes a call that ends a strict proxy", "[sandbox]") {
  if (skip_where_sanitized()) return;
  EchoProcess origin;
  Penstock penstock{{.endpoints = {origin.address()}, .runtime = "sandbox: strict"}};
  const std::string v6 = "/explain?listener=web&source=%5Bfe80::1%25";
  for (const std::string& target :
       {std::string{"/"},
        std::string{"/healthz"},
        std::string{"/readyz"},
        std::string{"/metrics"},
        std::string{"/status"},
        std::string{"/listeners"},
        std::string{"/upstreams"},
        std::string{"/numa"},
        std::string{"/config"},
        std::string{"/budget"},
        std::string{"/connections"},
        std::string{"/%ff"},
        std::string{"/explain"},
        std::string{"/explain?listener=web&source=10.0.0.1"},
        std::string{"/explain?listener=web&source=localhost:80"},
        std::string{"/explain?listener=%ff&source=%00"},
        v6 + "lo%5D:5",
        v6 + "nosuchlink%5D:5",
        v6 + "1%5D:5",
        std::string{"/upstreams/app/endpoints/%5Bfe80::1%25lo%5D:80?state=up"}}) {
    for (const char* method : {"HEAD", "POST", "DELETE"})
      ask(penstock, method, target, "127.0.0.1");
    for (const char* host : {"127.0.0.1", "[fe80::1%lo]:80", "[fe80::1%25lo]", "name.example"})
      ask(penstock, "GET", target, host);
  }
  for (const char* host : {"[fe80::1%lo]:80", "[fe80::1%25lo]"})
    ask(penstock, "POST", "/upstreams/app/endpoints/a?state=up", host);
  exchange(penstock);
}

TEST_CASE("no verb of ctl makes a call that ends a strict proxy", "[sandbox]") {
  if (skip_where_sanitized()) return;
  EchoProcess origin;
  Penstock penstock{{.endpoints = {origin.address()}, .runtime = "sandbox: strict"}};
  const std::string zoned = "[fe80::1%lo]:80";
  const std::vector<std::string> ctl{penstock_binary(), "ctl", "--admin", penstock.admin()};
  for (std::vector<std::string> verb : {std::vector<std::string>{"status"},
                                        {"listeners"},
                                        {"upstreams"},
                                        {"numa"},
                                        {"wait-ready"},
                                        {"endpoint", "app", zoned, "drain"},
                                        {"endpoint", "app", origin.address(), "drain"},
                                        {"endpoint", "app", origin.address(), "up"},
                                        {"connections"},
                                        {"reload"}}) {
    verb.insert(verb.begin(), ctl.begin(), ctl.end());
    run_program(verb);
  }
  for (const char* source : {"10.0.0.1", "[fe80::1%lo]:5", "[fe80::1%1]:5", "localhost"})
    run_program({penstock_binary(), "explain", "--admin", penstock.admin(), "--listener", "web",
                 "--source", source});
  exchange(penstock);
  CHECK(run_program({penstock_binary(), "ctl", "--admin", penstock.admin(), "drain"}).exit_code ==
        0);
  penstock.expect_clean_end();
}

TEST_CASE("a file of endpoints under the strict sandbox may name interfaces and may be anything",
          "[sandbox]") {
  if (skip_where_sanitized()) return;
  EchoProcess origin;
  const TemporaryFolder folder;
  const std::string file = folder.write("endpoints.yaml", "[\"" + origin.address() + "\"]\n");
  Penstock penstock{{.endpoints = {"{file: \"" + file + "\"}"}, .runtime = "sandbox: strict"}};
  const auto said = [&](const std::string& text) {
    return penstock.program().errors().find(text) != std::string::npos;
  };
  // What it was before is taken away by a rename.
  const auto turn_to = [&](const std::string& path) { fs::rename(path, file); };
  turn_to(folder.write("bad", "[\"[fe80::1%nosuchlink]:80\"]\n"));
  wait_until("the fault is told", [&] { return said("nosuchlink"); });
  turn_to(folder.write("zoned", "[\"[fe80::1%lo]:80\", \"[fe80::2%1]:80\", \"unix:@nobody\"]\n"));
  wait_until("the interface has its number", [&] {
    return http(penstock.admin(), "GET", "/upstreams").body.find("[fe80::1%1]:80") !=
           std::string::npos;
  });
  REQUIRE(::mkfifo(folder.path("fifo").c_str(), 0600) == 0);
  turn_to(folder.path("fifo"));
  wait_until("the FIFO is told", [&] { return said("is not a regular file"); });
  fs::create_symlink("/dev/zero", folder.path("zero"));
  turn_to(folder.path("zero"));
  fs::create_symlink(file, folder.path("loop"));
  turn_to(folder.path("loop"));
  wait_until("the loop is told", [&] { return said("levels of symbolic links"); });
  turn_to(folder.write("good", "[\"" + origin.address() + "\"]\n"));
  wait_until("the list is good again", [&] { return said("it has 1 endpoints"); });
  wait_until("the endpoint is back", [&] {
    return http(penstock.admin(), "GET", "/upstreams").body.find(origin.address()) !=
           std::string::npos;
  });
  exchange(penstock);
}

TEST_CASE("an access log under the strict sandbox goes to every kind of file", "[sandbox]") {
  if (skip_where_sanitized()) return;
  const TemporaryFolder folder;
  const std::string fifo = folder.path("fifo");
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  const Terminal terminal;
  for (const std::string& target :
       {folder.path("access.log"), fifo, terminal.path(), std::string{"/dev/null"},
        std::string{"/dev/full"}, std::string{"stderr"}, std::string{"off"}})
    write_lines_to(target);
}

TEST_CASE("what the system has in its settings ends no strict proxy", "[sandbox]") {
  if (skip_where_sanitized()) return;
  EchoProcess origin;
  const TemporaryFolder folder;
  const std::string providers = folder.write(
      "openssl.cnf",
      "openssl_conf = all\n[all]\nproviders = list\n[list]\ndefault = on\nlegacy = on\n[on]\n"
      "activate = 1\n");
  Penstock penstock{
      {.endpoints = {origin.address(), "{dns: \"app.test:80\", refresh: 1s}"},
       .upstream = "health_check: {type: tls, interval: 100ms, timeout: 50ms}, "
                   "panic_threshold: 100%",
       .runtime = "sandbox: strict, forwarders: 12",
       .program = {.resolv_conf = folder.write("resolv.conf",
                                               "nameserver fe80::1%lo\nnameserver "
                                               "127.0.0.1\nsearch a.test b.test\nsortlist "
                                               "10.0.0.0/8\noptions rotate timeout:1 "
                                               "use-vc edns0 nosuchoption\n"),
                   .environment = {"TZ=:nosuch/zone", "LC_ALL=de_DE.UTF-8", "LANGUAGE=de:fr",
                                   "OPENSSL_CONF=" + providers, "RES_OPTIONS=debug",
                                   "LOCALDOMAIN=c.test", "HOSTALIASES=/etc/passwd"}}}};
  penstock.wait_for_metric("penstock_health_checks_total", {{"upstream", "app"}}, 2);
  penstock.wait_for_metric("penstock_dns_resolutions_total", {{"upstream", "app"}}, 1);
  for (const int number : {SIGHUP, SIGUSR1, SIGUSR2}) penstock.program().signal(number);
  exchange(penstock);
  penstock.stop();
}

}  // namespace penstock::e2e
