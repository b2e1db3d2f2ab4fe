// The command line: words, texts and exit codes.

#include <csignal>

#include "catch.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/penstock.hpp"

using namespace penstock::e2e;

namespace {

Finished ask(std::vector<std::string> words) {
  words.insert(words.begin(), penstock_binary());
  return run_program(std::move(words));
}

constexpr const char* good_file =
    "listeners:\n"
    "  - {name: web, bind: \"127.0.0.1:8080\", upstream: app}\n"
    "upstreams:\n"
    "  app: {endpoints: [\"127.0.0.1:3000\"]}\n";

}  // namespace

TEST_CASE("check says ok of a good file and exits 0", "[cli]") {
  const TemporaryFolder folder;
  const std::string file = folder.write("good.yaml", good_file);
  const Finished check = ask({"check", "-c", file});
  CHECK(check.exit_code == 0);
  CHECK(check.output == file + ": ok\n");
  CHECK(check.errors.empty());
  for (const char* shipped : {"minimal.yaml", "reference.yaml", "quickstart.yaml"}) {
    const std::string name = std::string{PENSTOCK_SOURCE_DIR "/config/"} + shipped;
    CHECK(ask({"check", "-c", name}).output == name + ": ok\n");
  }
}

TEST_CASE("check takes its file as a word, from standard input and from a pipe", "[cli]") {
  const TemporaryFolder folder;
  const std::string file = folder.write("good.yaml", good_file);
  CHECK(ask({"check", file}).output == file + ": ok\n");
  const Program::Options piped{.input = good_file};
  for (const auto& words : std::vector<std::vector<std::string>>{{"-"}, {"-c", "-"}}) {
    std::vector<std::string> all{penstock_binary(), "check"};
    all.insert(all.end(), words.begin(), words.end());
    CHECK(run_program(all, piped).output == "-: ok\n");
  }
  const Finished substituted =
      run_program({"/bin/bash", "-c", "exec \"$0\" check <(cat \"$1\")", penstock_binary(), file});
  INFO(substituted.errors);
  CHECK(substituted.exit_code == 0);
  const Finished wrong =
      run_program({penstock_binary(), "check", "-"}, {.input = "listeners: 1\n"});
  CHECK(wrong.exit_code == 2);
  CHECK(wrong.errors.starts_with("-:1:12: listeners: "));
}

TEST_CASE("an answer that could not be written is a failure of every verb", "[cli]") {
  const TemporaryFolder folder;
  const std::string file = folder.write("good.yaml", good_file);
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}}};
  const std::vector<std::string> lines{"check " + file,
                                       "version",
                                       "help",
                                       "--help",
                                       "numa",
                                       "selftest",
                                       "explain -c " + file + " --listener web",
                                       "explain --admin " + penstock.admin() + " --listener web",
                                       "ctl --admin " + penstock.admin() + " status",
                                       "ctl --admin " + penstock.admin() + " upstreams --json",
                                       "ctl --admin " + penstock.admin() + " wait-ready"};
  for (const std::string& line : lines) {
    const Finished full =
        run_program({"/bin/sh", "-c", "exec \"$0\" " + line + " > /dev/full", penstock_binary()});
    INFO(line << '\n' << full.errors);
    CHECK(full.exit_code == 1);
    CHECK(full.errors.find("could not be written") != std::string::npos);
    const bool is_short = line == "version";  // of a long answer the reason is not kept
    if (is_short) CHECK(full.errors.find("No space left on device") != std::string::npos);
  }
}

TEST_CASE("a verb that lacks descriptors says so and fails", "[cli]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}}};
  for (const std::size_t descriptors : {4, 8, 16})
    for (const auto& words : std::vector<std::vector<std::string>>{
             {"selftest"}, {"ctl", "--admin", penstock.admin(), "status"}, {"numa"}}) {
      std::vector<std::string> all{penstock_binary()};
      all.insert(all.end(), words.begin(), words.end());
      const Finished short_of = run_program(all, {.descriptors_max = descriptors});
      INFO(descriptors << ' ' << words.front() << '\n' << short_of.output << short_of.errors);
      CHECK(short_of.exit_code <= 1);
      CHECK(short_of.output.find("WRONG") == std::string::npos);
      if (short_of.exit_code == 1) CHECK(short_of.errors.find("descriptors") != std::string::npos);
    }
}

TEST_CASE("ctl where nobody listens asks about the admin of the configuration", "[cli]") {
  for (const std::string& admin : {free_address(), std::string{"unix:/nowhere/admin.sock"}}) {
    const Finished status = ask({"ctl", "--admin", admin, "status"});
    CHECK(status.exit_code == 1);
    CHECK(status.errors.find("does its configuration have an `admin` at this address?") !=
          std::string::npos);
  }
}

TEST_CASE("check names every fault by its place and exits 2", "[cli]") {
  const TemporaryFolder folder;
  const std::string file = folder.write("bad.yaml",
                                        "listeners:\n"
                                        "  - name: web\n"
                                        "    bind: 127.0.0.1:8080\n"
                                        "    upstream: nowhere\n"
                                        "    idle_timeout: 5 parsecs\n"
                                        "    colour: blue\n"
                                        "upstreams:\n"
                                        "  app: {endpoints: [\"127.0.0.1:3000\"]}\n");
  const Finished check = ask({"check", "-c", file});
  CHECK(check.exit_code == 2);
  CHECK(check.output.empty());
  const std::vector<std::string> places{
      ":4:15: listeners[0].upstream: ", ":5:19: listeners[0].idle_timeout: ",
      ":6:5: listeners[0].colour: "};
  std::size_t last = 0;
  for (const std::string& place : places) {
    INFO(check.errors << "\nshould name " << place);
    const auto at = check.errors.find(file + place);
    REQUIRE(at != std::string::npos);
    CHECK(at >= last);  // sorted by position
    last = at;
  }
  CHECK(ask({"run", "-c", file}).exit_code == 2);
  CHECK(ask({"run", "-c", file}).errors == check.errors);
}

TEST_CASE("a file that is no YAML, or that is not there, is a configuration error", "[cli]") {
  const TemporaryFolder folder;
  const std::string file = folder.write("broken.yaml", "listeners: [\n");
  const Finished broken = ask({"check", "-c", file});
  CHECK(broken.exit_code == 2);
  CHECK(broken.errors.starts_with(file + ":"));
  CHECK(broken.errors.find(": -: ") != std::string::npos);
  const Finished missing = ask({"check", "-c", folder.path("missing.yaml")});
  CHECK(missing.exit_code == 2);
  CHECK(missing.errors.find("missing.yaml") != std::string::npos);
}

TEST_CASE("wrong words on the command line exit 2 and say where help is", "[cli]") {
  const std::vector<std::vector<std::string>> wrongs{{},
                                                     {"fly"},
                                                     {"check", "--loudly"},
                                                     {"run", "-c"},
                                                     {"ctl"},
                                                     {"ctl", "dance"},
                                                     {"ctl", "wait-ready", "--timeout", "soon"},
                                                     {"ctl", "--admin", "here", "status"}};
  for (const auto& words : wrongs) {
    const Finished wrong = ask(words);
    INFO(wrong.errors);
    CHECK(wrong.exit_code == 2);
    CHECK(wrong.output.empty());
    CHECK(wrong.errors.find("--help") != std::string::npos);
  }
}

TEST_CASE("--version and --help go to stdout and exit 0", "[cli]") {
  CHECK(ask({"--version"}).output == "penstock " PENSTOCK_VERSION "\n");
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"--help"}, {"run", "--help"}, {"check", "--help"}, {"ctl", "--help"}}) {
    const Finished help = ask(words);
    CHECK(help.exit_code == 0);
    CHECK(help.output.find("Usage") != std::string::npos);
    CHECK(help.errors.empty());
  }
}

TEST_CASE("an address that is taken is a run-time failure", "[cli]") {
  Origin occupant;
  const TemporaryFolder folder;
  const std::string file = folder.write(
      "taken.yaml", yaml_from({.endpoints = {"127.0.0.1:1"}}, occupant.address(), free_address()));
  const Finished run = ask({"run", "-c", file});
  CHECK(run.exit_code == 1);
  CHECK(run.errors.find(occupant.address()) != std::string::npos);
}

TEST_CASE("ctl tells the status of a running proxy, and waits for one", "[cli]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}}};
  const Finished status = ask({"ctl", "--admin", penstock.admin(), "status"});
  CHECK(status.exit_code == 0);
  CHECK(status.output.find("state        ready") != std::string::npos);
  CHECK(status.output.find(penstock.address()) != std::string::npos);
  const Finished json = ask({"ctl", "--admin", penstock.admin(), "--json", "status"});
  CHECK(json.exit_code == 0);
  CHECK(json.output.starts_with("{"));
  CHECK(ask({"ctl", "--admin", penstock.admin(), "wait-ready"}).output == "ready\n");
  CHECK(ask({"ctl", "--admin", penstock.admin(), "upstreams"}).output.find(origin.address()) !=
        std::string::npos);
  CHECK(ask({"ctl", "--admin", penstock.admin(), "listeners"}).output.find("web") !=
        std::string::npos);
}

TEST_CASE("numa shows the plan, and of a running proxy where its threads are", "[cli]") {
  const Finished plan = ask({"numa"});
  CHECK(plan.exit_code == 0);
  CHECK(plan.output.starts_with("NODE"));
  CHECK(plan.output.find("forwarder-0") != std::string::npos);
  CHECK(plan.output.find("IS ON CPU") == std::string::npos);
  CHECK(ask({"numa", "--json"}).output.starts_with("{\"nodes\":"));
  CHECK(ask({"numa", "-c", "/nowhere.yaml"}).exit_code == 2);
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}}};
  const Finished truth = ask({"ctl", "--admin", penstock.admin(), "numa"});
  CHECK(truth.exit_code == 0);
  CHECK(truth.output.find("IS ON CPU") != std::string::npos);
}

TEST_CASE("ctl wait-ready gives up in time with exit code 1", "[cli]") {
  const auto begin = Clock::now();
  const Finished waited =
      ask({"ctl", "--admin", free_address(), "wait-ready", "--timeout", "300ms"});
  CHECK(waited.exit_code == 1);
  CHECK(waited.output.empty());
  CHECK_FALSE(waited.errors.empty());
  CHECK(Clock::now() - begin >= 300ms);
  CHECK(ask({"ctl", "--admin", free_address(), "status"}).exit_code == 1);
}

TEST_CASE("ctl wait-ready may be started before the proxy", "[cli]") {
  const std::string admin = free_address();
  Program waiting{{penstock_binary(), "ctl", "--admin", admin, "wait-ready", "--timeout", "20s"}};
  const TemporaryFolder folder;
  const std::string file =
      folder.write("late.yaml", yaml_from({.endpoints = {"127.0.0.1:1"}}, free_address(), admin));
  Program late{{penstock_binary(), "run", "-c", file}};
  CHECK(waiting.wait() == 0);
  CHECK(waiting.output() == "ready\n");
  late.signal(SIGTERM);
  CHECK(late.wait() == 0);
}

TEST_CASE("SIGPIPE is ignored", "[cli]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}}};
  const auto ignored = std::stoull(penstock.program().status_line("SigIgn"), nullptr, 16);
  CHECK((ignored >> (SIGPIPE - 1) & 1) == 1);
}

TEST_CASE("a proxy started with its standard descriptors closed serves, and leaks no text",
          "[cli]") {
  Origin origin;
  origin.serve(echo);
  const std::string bind = free_address();
  const std::string admin = free_address();
  const TemporaryFolder folder;
  const std::string file =
      folder.write("p.yaml", yaml_from({.endpoints = {origin.address()}}, bind, admin));
  Program closed{{penstock_binary(), "run", "-c", file}, {.closed_descriptors = true}};
  CHECK(ask({"ctl", "--admin", admin, "wait-ready"}).exit_code == 0);
  for (int i = 0; i < 10; ++i) {
    Peer client = Peer::connect(bind);
    client.send("only this");
    client.finish_sending();
    CHECK(client.read_to_end() == "only this");
  }
  closed.signal(SIGTERM);
  CHECK(closed.wait() == 0);
  CHECK(closed.output().empty());
  CHECK(closed.errors().empty());
}

TEST_CASE("nothing but the access log goes to stdout", "[cli]") {
  Origin origin;
  origin.serve(echo);
  Penstock penstock{{.endpoints = {origin.address()}, .events = "open, close"}};
  {
    Peer client = penstock.client();
    client.finish_sending();
    client.read_to_end();
  }
  penstock.wait_for_records(2);
  penstock.stop();
  const auto records = penstock.records();
  REQUIRE(records.size() == 2);
  CHECK(text_of(records[0], "event") == "open");
  CHECK(text_of(records[1], "event") == "close");
  CHECK(records[0].at("id") == records[1].at("id"));
}
