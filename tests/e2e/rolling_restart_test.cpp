// Two generations of one configuration: while the first drains the second has its addresses.

#include <csignal>
#include <filesystem>

#include "catch.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/penstock.hpp"
#include "e2e/temporary_folder.hpp"

using namespace penstock::e2e;

namespace {

bool has_said(const Program& program, const std::string& text) {
  return program.errors().find(text) != std::string::npos;
}

void wait_until_ready(Program& program) {
  wait_until("it is ready", [&] {
    if (!program.running()) throw Failure{"it has ended: " + program.errors()};
    return has_said(program, "ready; connections");
  });
}

// A page of the admin on a connection that stays open.
std::string page(Peer& admin, const std::string& path) {
  admin.send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  std::string answer;
  while (answer.find("\r\n\r\n") == answer.npos) answer += admin.read(1);
  const auto length = answer.find("Content-Length: ");
  REQUIRE(length != answer.npos);
  return admin.read(std::stoul(answer.substr(length + 16)));
}

}  // namespace

TEST_CASE("a successor takes the listeners and the admin over while the first one drains",
          "[drain]") {
  const TemporaryFolder folder;
  const bool is_unix = GENERATE(false, true);
  const std::string bind = is_unix ? "unix:" + folder.path("web.sock") : free_address();
  const std::string admin = is_unix ? "unix:" + folder.path("admin.sock") : free_address();
  INFO(bind << ", admin " << admin);
  Origin origin;
  const std::string file =
      folder.write("penstock.yaml",
                   yaml_from({.endpoints = {origin.address()}, .runtime = "drain: {timeout: 60s}"},
                             bind, admin));
  Program first{{penstock_binary(), "run", "-c", file}};
  wait_until_ready(first);
  Peer old_client = Peer::connect(bind);
  Peer old_upstream = origin.accept();
  Peer old_admin = Peer::connect(admin);
  const std::string first_process = "\"pid\":" + std::to_string(first.id());
  CHECK(page(old_admin, "/status").find(first_process) != std::string::npos);

  first.signal(SIGTERM);
  const auto exchange = [&] {  // or it would be idle, and ended
    old_client.send("x");
    REQUIRE(old_upstream.read(1) == "x");
  };
  wait_until("the first one has closed its listeners", [&] {
    exchange();
    return has_said(first, "draining; connections");
  });
  Program second{{penstock_binary(), "run", "-c", file}};
  wait_until("the second one is ready", [&] {
    exchange();
    if (!second.running()) throw Failure{"it has ended: " + second.errors()};
    return has_said(second, "ready; connections");
  });
  Peer new_client = Peer::connect(bind);
  new_client.send("new");
  Peer new_upstream = origin.accept();
  CHECK(new_upstream.read(3) == "new");
  const std::string second_process = "\"pid\":" + std::to_string(second.id());
  CHECK(http(admin, "GET", "/status").body.find(second_process) != std::string::npos);
  // Who asked the first one before still can.
  CHECK(page(old_admin, "/status").find(first_process) != std::string::npos);

  old_client.finish_sending();
  old_upstream.close();
  CHECK(old_client.receive_all().ending == Ending::fin);
  CHECK(first.wait() == 0);
  // What is left behind the name is the second one's.
  CHECK(http(admin, "GET", "/readyz").status == 200);
  Peer late = Peer::connect(bind);
  late.send("late");
  CHECK(origin.accept().read(4) == "late");
  second.signal(SIGTERM);
  second.signal(SIGTERM);
  CHECK(second.wait() == 0);
}

TEST_CASE("the file of a unix socket that somebody else has put there is left alone", "[drain]") {
  const TemporaryFolder folder;
  const std::string bind = folder.path("web.sock");
  const std::string admin = folder.path("admin.sock");
  const std::string file = folder.write(
      "penstock.yaml", yaml_from({.endpoints = {"127.0.0.1:1"}}, "unix:" + bind, "unix:" + admin));
  Program program{{penstock_binary(), "run", "-c", file}};
  wait_until_ready(program);
  for (const std::string& path : {bind, admin}) std::filesystem::remove(path);
  const Origin web{"unix:" + bind};
  const Origin steering{"unix:" + admin};
  program.signal(SIGTERM);
  CHECK(program.wait() == 0);
  CHECK(std::filesystem::exists(bind));
  CHECK(std::filesystem::exists(admin));
}
