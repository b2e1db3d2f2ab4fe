// Databases, mail and bulk copies: what people put behind an L4 proxy.

#include <unistd.h>

#include <atomic>
#include <string_view>

#include "catch.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/payload.hpp"
#include "e2e/penstock.hpp"
#include "e2e/postgres.hpp"
#include "e2e/servers.hpp"

using namespace penstock::e2e;

namespace {

std::string read_until(Peer& peer, std::string_view end) {
  std::string text;
  while (!text.ends_with(end)) text += peer.read(1);
  return text;
}

// The server's side of SMTP (RFC 5321), for a client who delivers one mail. The one of Python's
// library is gone since Python 3.12.
std::string take_mail(Peer& client) {
  client.send("220 mail.example.com\r\n");
  for (const char* answer :
       {"250 hello\r\n", "250 sender\r\n", "250 recipient\r\n", "354 go on\r\n"}) {
    read_until(client, "\r\n");
    client.send(answer);
  }
  std::string mail = read_until(client, "\r\n.\r\n");
  client.send("250 taken\r\n");
  read_until(client, "\r\n");
  client.send("221 bye\r\n");
  return mail;
}

}  // namespace

TEST_CASE("psql and pgbench work through the proxy in every protocol mode", "[services]") {
  if (no_postgres()) return;
  Postgres postgres;
  Penstock penstock{{.endpoints = {postgres.address()}}};
  CHECK(with_database(penstock.address(),
                      {"psql", "-At", "-c", "select repeat('x', 3000000)", "postgres"})
            .output.size() == 3'000'001);
  const Finished made =
      with_database(penstock.address(), {"pgbench", "-i", "-q", "-s", "1", "postgres"});
  INFO(made.errors);
  REQUIRE(made.exit_code == 0);
  const std::vector<std::vector<std::string>> ways{
      {"-M", "simple"}, {"-M", "extended"}, {"-M", "prepared"}, {"-M", "simple", "-C"}};
  for (const auto& way : ways) {
    std::vector<std::string> words{"pgbench", "-n", "-c", "4", "-j", "2", "-t", "50"};
    words.insert(words.end(), way.begin(), way.end());
    words.push_back("postgres");
    const Finished run = with_database(penstock.address(), words);
    INFO(run.output << run.errors);
    CHECK(run.exit_code == 0);
    CHECK(run.output.find("number of failed transactions: 0") != std::string::npos);
    CHECK(run.output.find("processed: 200/200") != std::string::npos);
  }
  penstock.wait_until_rest();
  for (const Record& record : penstock.records()) CHECK(text_of(record, "reason") == "complete");
}

TEST_CASE("iperf3 measures through the proxy in both directions", "[services]") {
  if (skip_without({"iperf3"})) return;
  const std::string address = free_address();
  Program server{{"iperf3", "-s", "-B", "127.0.0.1", "-p", port_of(address)}};
  wait_until_reachable(address);
  Penstock penstock{{.endpoints = {address}}};
  for (const char* direction : {"--no-delay", "--reverse"}) {
    const Finished run =
        run_program({"iperf3", "-c", "127.0.0.1", "-p", port_of(penstock.address()), "-n", "64M",
                     "-P", "2", direction});
    INFO(run.output << run.errors);
    CHECK(run.exit_code == 0);
    CHECK(run.output.find("iperf Done") != std::string::npos);
  }
}

TEST_CASE("rsync copies a tree through the proxy and finds nothing left to do", "[services]") {
  if (skip_without({"rsync"})) return;
  const TemporaryFolder folder;
  for (int i = 0; i < 20; ++i)
    folder.write("source/" + std::to_string(i),
                 std::string{payload(run_seed() + static_cast<unsigned>(i), 1000U << (i / 2))});
  const std::string address = free_address();
  const std::string id = std::to_string(::geteuid());
  const std::string file = folder.write(
      "rsyncd.conf", "use chroot = false\nuid = " + id + "\ngid = " + std::to_string(::getegid()) +
                         "\n[source]\npath = " + folder.path("source") + "\n");
  Program server{{"rsync", "--daemon", "--no-detach", "--address=127.0.0.1",
                  "--port=" + port_of(address), "--config=" + file}};
  wait_until_reachable(address);
  Penstock penstock{{.endpoints = {address}}};
  const std::string url = "rsync://127.0.0.1:" + port_of(penstock.address()) + "/source/";
  const Finished copied = run_program({"rsync", "-a", url, folder.path("copy")});
  INFO(copied.errors);
  CHECK(copied.exit_code == 0);
  const Finished compared =
      run_program({"rsync", "-a", "--checksum", "--itemize-changes", url, folder.path("copy")});
  CHECK(compared.exit_code == 0);
  CHECK(compared.output.empty());
}

TEST_CASE("a mail server, which speaks first, is heard at once", "[services]") {
  if (skip_without({"python3"})) return;
  const std::string text(9000, 'x');
  std::atomic<std::size_t> delivered{0};
  Origin server;
  server.serve([&](Peer client) { delivered += take_mail(client).find(text) != text.npos; });
  Penstock penstock{{.endpoints = {server.address()}}};
  const Finished sent = run_program({"python3", "-c",
                                     "import smtplib\n"
                                     "server = smtplib.SMTP('127.0.0.1', " +
                                         port_of(penstock.address()) +
                                         ", timeout=20)\n"
                                         "server.sendmail('a@example.com', ['b@example.com'], "
                                         "'Subject: hi\\r\\n\\r\\n" +
                                         text +
                                         "')\n"
                                         "server.quit()\n"});
  INFO(sent.errors);
  CHECK(sent.exit_code == 0);
  wait_until("the mail is there", [&] { return delivered == 1; });
}
