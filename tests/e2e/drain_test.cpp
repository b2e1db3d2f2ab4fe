// The end of a process: what is promised to the connections that are there, and exit code 0.

#include <csignal>

#include "catch.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/payload.hpp"
#include "e2e/penstock.hpp"
#include "e2e/temporary_folder.hpp"

using namespace penstock::e2e;

namespace {

// One answer of a connection that lives on, to a request for a file of this content.
std::string ask_for(Peer& client, const std::string& content) {
  client.send("GET /file HTTP/1.1\r\nHost: a\r\n\r\n");
  std::string answer;
  while (!answer.ends_with(content)) answer += client.read(1);
  return answer;
}

}  // namespace

TEST_CASE("SIGTERM ends idle connections by FIN and exits 0", "[drain]") {
  for (const int signal : {SIGTERM, SIGINT}) {
    Origin origin;
    Penstock penstock{{.endpoints = {origin.address()}, .runtime = "drain: {timeout: 20s}"}};
    Peer client = penstock.client();
    Peer upstream = origin.accept();
    client.send("hello");
    REQUIRE(upstream.read(5) == "hello");
    penstock.program().signal(signal);
    CHECK(client.receive_all().ending == Ending::fin);
    CHECK(upstream.receive_all().ending == Ending::fin);
    penstock.expect_clean_end(10s);
    CHECK(text_of(penstock.records().at(0), "reason") == "drain");
  }
}

TEST_CASE("a transfer under way at SIGTERM completes", "[drain]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}, .runtime = "drain: {timeout: 20s}"}};
  Peer client = penstock.client();
  Peer upstream = origin.accept();
  const auto answer = payload(31, 1 << 20);
  std::size_t sent = 0;
  std::string got;
  bool signalled = false;
  auto next = Clock::now();
  // A piece every 100 ms: the connection is never idle for a second, and outlives the signal by
  // far.
  wait_until("everything was sent", [&] {
    receive_now(client.descriptor(), got);
    if (Clock::now() < next) return false;
    next = Clock::now() + 100ms;
    const auto piece = answer.substr(sent, 32 * 1024);
    upstream.send(piece);
    sent += piece.size();
    if (!signalled && sent > answer.size() / 4) {
      penstock.program().signal(SIGTERM);
      signalled = true;
    }
    return sent == answer.size();
  });
  upstream.finish_sending();
  got += client.read_to_end();
  CHECK(got == answer);
  client.close();
  penstock.expect_clean_end();
  CHECK(text_of(penstock.records().at(0), "reason") == "complete");
}

TEST_CASE("connections that wait in the backlog at SIGTERM are served", "[drain]") {
  const std::string acceptors = GENERATE("1", "2");
  INFO("acceptors: " << acceptors);
  Origin origin;
  origin.serve(say("served"));
  Penstock penstock{{.endpoints = {origin.address()}, .runtime = "acceptors: " + acceptors}};
  penstock.program().signal(SIGSTOP);
  std::vector<Peer> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(penstock.client());
    clients.back().send("question");
    clients.back().finish_sending();
  }
  penstock.program().signal(SIGTERM);
  penstock.program().signal(SIGCONT);
  for (Peer& client : clients) CHECK(client.read_to_end() == "served");
  penstock.expect_clean_end();
  CHECK(penstock.records().size() == 20);
}

TEST_CASE("who waits at SIGTERM for a file server of the same process is served", "[drain]") {
  const std::string acceptors = GENERATE("1", "2");
  INFO("acceptors: " << acceptors);
  const TemporaryFolder folder;
  folder.write("www/page", "served");
  const std::string files = free_address();
  Penstock penstock{{.endpoints = {files},
                     .runtime = "acceptors: " + acceptors,
                     .more_listeners = "  - {name: files, bind: \"" + files +
                                       "\", files: {root: \"" + folder.path("www") + "\"}}\n"}};
  penstock.program().signal(SIGSTOP);
  std::vector<Peer> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(penstock.client());
    clients.back().send("GET /page HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  }
  penstock.program().signal(SIGTERM);
  penstock.program().signal(SIGCONT);
  for (Peer& client : clients) {
    const std::string answer = client.read_to_end();
    CHECK(answer.starts_with("HTTP/1.1 200 "));
    CHECK(answer.ends_with("served"));
    client.close();  // or it would wait for its turn to be ended
  }
  penstock.expect_clean_end();
}

TEST_CASE("a transfer that outlasts drain.timeout is reset with the reason drain", "[drain]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}, .runtime = "drain: {timeout: 1s}"}};
  Peer client = penstock.client();
  Peer upstream = origin.accept();
  penstock.program().signal(SIGTERM);
  auto next = Clock::now();
  wait_until("the connection is reset", [&] {
    if (client.ending() != Ending::open) return true;
    if (Clock::now() < next) return false;
    next = Clock::now() + 50ms;
    try {
      upstream.send("more");
    } catch (const Failure&) {
      // It was reset between the look and the send.
    }
    return false;
  });
  CHECK(client.receive_all().ending == Ending::reset);
  CHECK(upstream.receive_all().ending == Ending::reset);
  penstock.expect_clean_end(10s);
  CHECK(text_of(penstock.records().at(0), "reason") == "drain");
}

TEST_CASE("a second SIGTERM ends at once", "[drain]") {
  Origin origin;
  Penstock penstock{
      {.endpoints = {origin.address()}, .runtime = "drain: {grace: 60s, timeout: 60s}"}};
  Peer client = penstock.client();
  Peer upstream = origin.accept();
  penstock.program().signal(SIGTERM);
  wait_until("the drain has begun",
             [&] { return http(penstock.admin(), "GET", "/readyz").status == 503; });
  REQUIRE(penstock.program().running());
  penstock.program().signal(SIGTERM);
  penstock.expect_clean_end(5s);
  CHECK(client.receive_all().ending == Ending::reset);
}

TEST_CASE("SIGHUP, SIGUSR1, SIGUSR2 and SIGPIPE do not end the proxy", "[drain]") {
  Origin origin;
  origin.serve(echo);
  Penstock penstock{{.endpoints = {origin.address()}}};
  Peer client = penstock.client();
  for (const int signal : {SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE}) {
    penstock.program().signal(signal);
    client.send("alive?");
    CHECK(client.read(6) == "alive?");
  }
  CHECK(http(penstock.admin(), "GET", "/readyz").status == 200);
  penstock.stop();
}

TEST_CASE("during the grace of a drain the proxy is not ready but accepts", "[drain]") {
  Origin origin;
  origin.serve(say("served"));
  Penstock penstock{
      {.endpoints = {origin.address()}, .runtime = "drain: {grace: 3s, timeout: 5s}"}};
  penstock.program().signal(SIGTERM);
  wait_until(
      "it is not ready", [&] { return http(penstock.admin(), "GET", "/readyz").status == 503; },
      2s);
  Peer client = penstock.client();
  client.finish_sending();
  CHECK(client.read_to_end() == "served");
  penstock.expect_clean_end();
  REQUIRE_THROWS_AS(penstock.client(), Failure);
}

TEST_CASE("POST /drain and ctl drain do the same as SIGTERM", "[drain]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}}};
  SECTION("by HTTP") {
    CHECK(http(penstock.admin(), "POST", "/drain").status == 202);
  }
  SECTION("by ctl") {
    const Finished ctl =
        run_program({penstock_binary(), "ctl", "--admin", penstock.admin(), "drain", "--wait"});
    CHECK(ctl.exit_code == 0);
    CHECK(ctl.output == "drained: 0 connections ended, 0 were cut\n");
  }
  penstock.expect_clean_end();
}

TEST_CASE("ctl drain --wait tells at the end how many connections ended and how many were cut",
          "[drain]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}, .runtime = "drain: {timeout: 1500ms}"}};
  Peer idle = penstock.client();
  Peer busy = penstock.client();
  Peer first = origin.accept();
  Peer second = origin.accept();
  Program ctl{{penstock_binary(), "ctl", "--admin", penstock.admin(), "drain", "--wait"}};
  wait_until("the busy one is cut", [&] {
    if (busy.ending() == Ending::reset) return true;
    try {
      busy.send_now("x");  // or it would be idle, and ended
    } catch (const Failure&) {
      return true;  // reset between the look and the byte
    }
    return false;
  });
  CHECK(ctl.wait() == 0);
  CHECK(ctl.output() == "drained: 1 connections ended, 1 were cut\n");
  penstock.expect_clean_end();
}

TEST_CASE("ctl drain --wait does not say drained of a proxy that was killed", "[drain]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}, .runtime = "drain: {grace: 60s}"}};
  Program ctl{{penstock_binary(), "ctl", "--admin", penstock.admin(), "drain", "--wait"}};
  wait_until("the drain runs", [&] {
    return penstock.program().errors().find("the drain begins") != std::string::npos;
  });
  penstock.program().signal(SIGKILL);
  CHECK(ctl.wait() == 1);
  CHECK(ctl.output().empty());
  CHECK(ctl.errors().find("not known whether the drain has ended") != std::string::npos);
  penstock.wait_for_end();
}

TEST_CASE("ctl drain --wait waits on while the admin takes nobody else", "[drain]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}, .runtime = "drain: {grace: 60s}"}};
  Program ctl{{penstock_binary(), "ctl", "--admin", penstock.admin(), "drain", "--wait"}};
  wait_until("the drain runs", [&] {
    return penstock.program().errors().find("the drain begins") != std::string::npos;
  });
  std::vector<Peer> crowd;
  for (int i = 0; i < 80; ++i) crowd.push_back(Peer::begin_connecting(penstock.admin()));
  holds_for(500ms, "it waits", [&] { return ctl.running(); });
  penstock.program().signal(SIGTERM);  // the first one: the drain goes on
  wait_until("it goes on", [&] {
    return penstock.program().errors().find("goes on; another signal ends it") != std::string::npos;
  });
  penstock.program().signal(SIGTERM);  // the second one: at once
  CHECK(ctl.wait() == 0);
  penstock.expect_clean_end();
}

TEST_CASE("during a drain newcomers are turned away while the others go on", "[drain]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}, .runtime = "drain: {timeout: 3s}"}};
  Peer busy = penstock.client();
  Peer upstream = origin.accept();
  penstock.program().signal(SIGTERM);
  wait_until("newcomers are refused", [&] {
    busy.send("x");  // or it would be idle, and ended
    upstream.read(1);
    const Peer newcomer = Peer::begin_connecting(penstock.address());
    return newcomer.ending() == Ending::reset;
  });
  busy.send("still here");
  CHECK(upstream.read(10) == "still here");
  busy.finish_sending();
  upstream.close();
  penstock.expect_clean_end();
}

TEST_CASE("in a drain busy clients of static files are told to close, and lose no request",
          "[drain]") {
  TemporaryFolder folder;
  folder.write("www/file", "content");
  Penstock penstock{{.listener = "files: {root: \"" + folder.path("www") + "\"}",
                     .runtime = "drain: {timeout: 20s}"}};
  std::vector<Peer> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(penstock.client());
  bool signalled = false;
  std::size_t told = 0;
  wait_until("all were told", [&] {
    for (Peer& client : clients) {
      if (client.descriptor() < 0) continue;
      if (ask_for(client, "content").find("\r\nConnection: close\r\n") == std::string::npos)
        continue;
      CHECK(client.read_to_end().empty());
      client.close();
      ++told;
    }
    if (!signalled) penstock.program().signal(SIGTERM);
    signalled = true;
    return told == clients.size();
  });
  penstock.expect_clean_end(10s);
  for (const Record& record : penstock.records()) CHECK(text_of(record, "reason") == "complete");
}
