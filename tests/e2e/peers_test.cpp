// Programs that penstock was not written for: redis, nginx, curl.

#include <csignal>

#include "catch.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/payload.hpp"
#include "e2e/penstock.hpp"
#include "e2e/servers.hpp"

using namespace penstock::e2e;

namespace {

std::string curl(const std::string& url) {
  const Finished finished =
      run_program({"curl", "--silent", "--show-error", "--noproxy", "*", url});
  INFO(finished.errors);
  CHECK(finished.exit_code == 0);
  return finished.output;
}

}  // namespace

TEST_CASE("redis-benchmark and a redis session run through the proxy", "[peers]") {
  if (skip_without({"redis-server", "redis-cli", "redis-benchmark"})) return;
  Redis redis;
  Penstock penstock{{.endpoints = {redis.address()}}};
  const std::string port = port_of(penstock.address());
  for (const char* pipelined : {"1", "16"}) {
    const Finished run = run_program({"redis-benchmark", "-p", port, "-n", "20000", "-c", "50",
                                      "-P", pipelined, "-t", "set,get", "-q"});
    INFO(run.output << run.errors);
    CHECK(run.exit_code == 0);
    CHECK(run.errors.find("rror") == std::string::npos);
  }
  const auto ask = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"redis-cli", "-p", port});
    return run_program(words).output;
  };
  CHECK(ask({"SET", "key", "value"}) == "OK\n");
  CHECK(ask({"GET", "key"}) == "value\n");

  // A subscriber only listens: what is published must reach it without a request of its own.
  Peer subscriber = penstock.client();
  subscriber.send("SUBSCRIBE news\r\n");
  const std::string subscribed = "*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n";
  CHECK(subscriber.read(subscribed.size()) == subscribed);
  CHECK(ask({"PUBLISH", "news", "hello"}) == "1\n");
  const std::string message = "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n";
  CHECK(subscriber.read(message.size()) == message);
  subscriber.close();
  penstock.wait_until_rest();
  for (const Record& record : penstock.records()) {
    const std::string reason = text_of(record, "reason");
    CHECK((reason == "complete" || reason == "client_reset"));
  }
}

TEST_CASE("a file of 1 GiB comes from nginx to curl unchanged", "[peers]") {
  if (skip_without({"nginx", "curl", "openssl"})) return;
  const TemporaryFolder folder;
  const std::string file = folder.write("www/large", std::string{payload(run_seed(), 32 << 20)});
  std::filesystem::resize_file(file, std::uintmax_t{1} << 30);  // a hole
  std::filesystem::permissions(folder.path(), std::filesystem::perms{0755});
  { std::ofstream{file, std::ios::app | std::ios::binary} << payload(run_seed() + 1, 1 << 20); }
  Nginx nginx{folder};
  Penstock penstock{{.endpoints = {nginx.address()}}};
  Program original{{"openssl", "dgst", "-sha256", "-r", file}};
  Program copy{{"sh", "-c",
                "curl --silent --fail --noproxy '*' http://" + penstock.address() +
                    "/large | openssl dgst -sha256 -r"}};
  CHECK(copy.wait(120s) == 0);
  CHECK(original.wait(120s) == 0);
  CHECK(copy.output().substr(0, 64) == original.output().substr(0, 64));
  penstock.wait_for_records(1);
  const Record record = penstock.records().at(0);
  CHECK(text_of(record, "reason") == "complete");
  CHECK(number_of(record, "bytes_to_client") > std::filesystem::file_size(file));
}

TEST_CASE("the quickstart is answered by both of its origins in turn", "[peers]") {
  if (skip_without({"curl"})) return;
  const TemporaryFolder folder;
  std::filesystem::copy(PENSTOCK_SOURCE_DIR "/config", folder.path("config"),
                        std::filesystem::copy_options::recursive);
  std::ifstream original{folder.path("config/quickstart.yaml")};
  std::string yaml{std::istreambuf_iterator<char>{original}, {}};
  const std::string web = free_address();
  const std::string admin = free_address();
  const std::vector<std::pair<std::string, std::string>> moves{{"0.0.0.0:8080", web},
                                                               {"127.0.0.1:9001", free_address()},
                                                               {"127.0.0.1:9002", free_address()},
                                                               {"127.0.0.1:9900", admin}};
  for (const auto& [from, to] : moves) {
    REQUIRE(yaml.find(from) != yaml.npos);
    for (auto at = yaml.find(from); at != yaml.npos; at = yaml.find(from, at + to.size()))
      yaml.replace(at, from.size(), to);
  }
  Program penstock{{penstock_binary(), "run", "-c", folder.write("moved.yaml", yaml)},
                   {.directory = folder.path()}};
  wait_until_reachable(admin);
  std::vector<std::string> answers;
  for (int i = 0; i < 6; ++i) answers.push_back(curl("http://" + web + "/"));
  CHECK(answers[0] != answers[1]);
  for (std::size_t i = 2; i < answers.size(); ++i) CHECK(answers[i] == answers[i - 2]);
  penstock.signal(SIGTERM);
  CHECK(penstock.wait() == 0);
  CHECK(complaint_in(penstock.errors()) == "");
}

TEST_CASE("static files: GET, HEAD, what is missing, and what lies outside", "[peers]") {
  const TemporaryFolder folder;
  const std::string large{payload(41, 5 << 20)};
  folder.write("www/index.html", "<p>hello</p>");
  folder.write("www/deep/large.bin", large);
  folder.write("secret.txt", "secret");
  std::filesystem::create_symlink(folder.path("secret.txt"), folder.path("www/link.txt"));
  Penstock penstock{{.listener = "files: {root: \"" + folder.path("www") + "\"}"}};
  const auto ask = [&](const std::string& method, const std::string& target) {
    return http(penstock.address(), method, target);
  };
  const HttpAnswer index = ask("GET", "/");
  CHECK(index.status == 200);
  CHECK(index.body == "<p>hello</p>");
  CHECK(index.head.find("text/html") != std::string::npos);
  CHECK(ask("GET", "/deep/large.bin").body == large);
  const HttpAnswer head = ask("HEAD", "/deep/large.bin");
  CHECK(head.status == 200);
  CHECK(head.body.empty());
  CHECK(head.head.find("Content-Length: " + std::to_string(large.size())) != std::string::npos);
  CHECK(ask("GET", "/missing").status == 404);
  CHECK(ask("POST", "/").status == 405);
  for (const char* outside : {"/../secret.txt", "/deep/../../secret.txt", "/%2e%2e/secret.txt",
                              "/..%2fsecret.txt", "//../secret.txt", "/./../secret.txt",
                              "/link.txt", "/deep/large.bin/../../../secret.txt"}) {
    INFO(outside);
    const HttpAnswer answer = ask("GET", outside);
    CHECK(answer.status >= 400);
    CHECK(answer.status < 500);
    CHECK(answer.body.find("secret\n") == std::string::npos);
    CHECK(answer.body != "secret");
  }
  penstock.wait_until_rest();
}
