#include <deque>
#include <sstream>

#include "catch.hpp"
#include "cli/command_line.hpp"
#include "cli/ctl/text.hpp"

using namespace penstock;
using namespace std::chrono_literals;
using cli::CtlCommand;
using cli::CtlFetched;
using cli::CtlReply;
using cli::CtlVerb;

namespace {

// A proxy that gives prepared answers, and a clock that only pauses move.
struct Scene {
  std::deque<CtlFetched> answers;  // the last one is repeated
  std::vector<std::string> asked{};
  std::vector<base::Duration> patience{};  // with each question
  base::Instant now{};
  std::ostringstream out{};
  std::ostringstream err{};

  int run(const CtlCommand& command) {
    cli::CtlWorld world{
        .fetch =
            [this](std::string_view method, std::string_view target, base::Duration longest) {
              asked.push_back(std::string{method} + ' ' + std::string{target});
              patience.push_back(longest);
              CtlFetched answer = answers.front();
              if (answers.size() > 1) answers.pop_front();
              return answer;
            },
        .pause = [this](base::Duration time) { now += time; },
        .now = [this] { return now; },
        .out = out,
        .err = err};
    return cli::run_ctl(command, world);
  }
};

CtlFetched reply(unsigned status, std::string body) {
  return CtlReply{.status = status, .body = std::move(body)};
}
CtlFetched silence() {
  return std::string{"nobody is there"};
}

std::string status_body(bool ready, const std::string& state = "ready", int active = 3) {
  return R"({"version":"1.2.3","pid":77,"state":")" + state + R"(","healthy":true,"ready":)" +
         (ready ? "true" : R"(false,"not_ready_because":"a drain runs")") +
         R"(,"uptime_seconds":93784.5,"connections_active":)" + std::to_string(active) +
         R"(,"connections_max":500,"accepting_paused":false,)"
         R"("listeners":[{"name":"web","addresses":["0.0.0.0:80","[::]:80"],)"
         R"("connections_active":3}],)"
         R"("forwarders":[{"index":0,"node":0,"cpu":null,"busy_ratio":0.256,"answers":true}]})";
}

// What the words of a command line lead to.
cli::Command parsed(std::vector<const char*> words, const cli::CommandDefaults& defaults = {}) {
  words.insert(words.begin(), "penstock");
  return cli::parse_command_line(static_cast<int>(words.size()), words.data(), defaults);
}
cli::PrintCommand printed(std::vector<const char*> words) {
  return std::get<cli::PrintCommand>(parsed(std::move(words)));
}

}  // namespace

TEST_CASE("status of a proxy that is ready is shown to people and succeeds", "[cli]") {
  Scene scene{.answers = {reply(200, status_body(true))}};
  CHECK(scene.run({.verb = CtlVerb::status}) == 0);
  CHECK(scene.out.str() ==
        "penstock 1.2.3, process 77, up 1 d 2 h\n"
        "state        ready\n"
        "connections  3 of 500\n"
        "\n"
        "LISTENER  CONNECTIONS  ADDRESSES\n"
        "web                 3  0.0.0.0:80 [::]:80\n"
        "\n"
        "FORWARDER  NODE  CPU   BUSY  ANSWERS\n"
        "        0     0  any  25.6%  yes\n");
}

TEST_CASE("what answers cannot write to the terminal of who asks", "[cli]") {
  Scene shown{.answers = {reply(200, status_body(true, R"(\u001b[2J\u009b)"))}};
  CHECK(shown.run({.verb = CtlVerb::status}) == 0);
  CHECK(shown.out.str().find("state        \\x1b[2J\\xc2\\x9b\n") != std::string::npos);
  Scene refused{.answers = {reply(503, R"({"error":"no\u000a\u001b[2J"})")}};
  CHECK(refused.run({.verb = CtlVerb::status}) == 1);
  CHECK(refused.err.str() == "penstock ctl: no\\x0a\\x1b[2J\n");
  CHECK(printed({"\x1b[2J"}).err.find('\x1b') == std::string::npos);
}

TEST_CASE("status fails where the proxy is not ready, does not answer or is another program",
          "[cli]") {
  Scene draining{.answers = {reply(200, status_body(false, "draining"))}};
  CHECK(draining.run({.verb = CtlVerb::status}) == 1);
  CHECK(draining.out.str().find("a drain runs") != std::string::npos);
  Scene silent{.answers = {silence()}};
  CHECK(silent.run({.verb = CtlVerb::status}) == 1);
  CHECK(silent.err.str() == "penstock ctl: nobody is there\n");
  Scene other{.answers = {reply(200, "<html>")}};
  CHECK(other.run({.verb = CtlVerb::status}) == 1);
  CHECK(other.out.str().empty());
}

TEST_CASE("with --json the answer is the proxy's own", "[cli]") {
  Scene scene{.answers = {reply(200, status_body(true))}};
  CHECK(scene.run({.verb = CtlVerb::status, .json = true}) == 0);
  CHECK(scene.out.str() == status_body(true));
}

TEST_CASE("wait-ready goes on while nobody listens yet", "[cli]") {
  Scene scene{.answers = {silence(), silence(), reply(503, R"({"error":"not started yet"})"),
                          reply(200, R"({"ready":true})")}};
  CHECK(scene.run({.verb = CtlVerb::wait_ready}) == 0);
  CHECK(scene.asked.size() == 4);
}

TEST_CASE("wait-ready gives up at its timeout with the last reason", "[cli]") {
  Scene scene{.answers = {reply(503, R"({"error":"a drain runs"})")}};
  CHECK(scene.run({.verb = CtlVerb::wait_ready, .timeout = 2s}) == 1);
  CHECK(scene.now == base::Instant{} + 2s);
  CHECK(scene.err.str().find("a drain runs") != std::string::npos);
}

TEST_CASE("wait-ready asks no longer than its timeout", "[cli]") {
  Scene scene{.answers = {silence()}};
  CHECK(scene.run({.verb = CtlVerb::wait_ready, .timeout = 1s}) == 1);
  CHECK(scene.patience.front() == 1s);
  CHECK(scene.patience.back() == 100ms);
  CHECK(scene.now == base::Instant{} + 1s);
}

TEST_CASE("drain --wait is answered at the end, however long that takes", "[cli]") {
  Scene scene{.answers = {reply(200, R"({"drained":3,"cut":1})")}};
  CHECK(scene.run({.verb = CtlVerb::drain, .wait = true}) == 0);
  CHECK(scene.asked == std::vector<std::string>{"POST /drain?wait=true"});
  CHECK(scene.patience.front() == base::Duration::max());
  CHECK(scene.out.str() == "drained: 3 connections ended, 1 were cut\n");
}

TEST_CASE("drain --wait does not call the end known where no answer came", "[cli]") {
  Scene gone{.answers = {silence()}};
  CHECK(gone.run({.verb = CtlVerb::drain, .wait = true}) == 1);
  CHECK(gone.out.str().empty());
  CHECK(gone.err.str() == "penstock ctl: not known whether the drain has ended: nobody is there\n");
  Scene other{.answers = {reply(202, R"({"draining":true})")}};  // it does not know ?wait
  CHECK(other.run({.verb = CtlVerb::drain, .wait = true}) == 1);
  CHECK(other.out.str().empty());
}

TEST_CASE("a refused drain fails with the proxy's own words", "[cli]") {
  Scene scene{.answers = {reply(403, R"({"error":"this address is read-only"})")}};
  CHECK(scene.run({.verb = CtlVerb::drain}) == 1);
  CHECK(scene.err.str() == "penstock ctl: this address is read-only\n");
}

TEST_CASE("uptime is told in its two largest units", "[cli]") {
  CHECK(cli::uptime_text(0.4) == "0 s");
  CHECK(cli::uptime_text(61) == "1 min 1 s");
  CHECK(cli::uptime_text(7200) == "2 h");
  CHECK(cli::uptime_text(90061) == "1 d 1 h");
}

TEST_CASE("verbs take their file from the line, the environment or the default", "[cli]") {
  using cli::CheckCommand;
  using control::RunCommand;
  CHECK(std::get<RunCommand>(parsed({"run"})).file == "/etc/penstock/penstock.yaml");
  CHECK(std::get<RunCommand>(parsed({"run"}, {.config_file = "e.yaml"})).file == "e.yaml");
  CHECK(std::get<CheckCommand>(parsed({"check", "-c", "x"}, {.config_file = "e"})).file == "x");
  CHECK(std::get<CheckCommand>(parsed({"check", "x"}, {.config_file = "e"})).file == "x");
  CHECK(std::get<CheckCommand>(parsed({"check", "-"})).file == "-");
  CHECK(std::get<RunCommand>(parsed({"run", "-c", "-"})).file == "-");
  CHECK(printed({"check", "-c", "x", "y"}).exit_code == 2);
}

TEST_CASE("ctl takes its options before and behind the verb", "[cli]") {
  const auto before =
      std::get<CtlCommand>(parsed({"ctl", "--admin", "[::1]:1", "--json", "status"}));
  CHECK(before.admin == "[::1]:1");
  CHECK(before.json);
  const auto behind = std::get<CtlCommand>(parsed({"ctl", "drain", "--wait", "--json"}));
  CHECK(behind.verb == CtlVerb::drain);
  CHECK(behind.wait);
  CHECK(behind.json);
  CHECK(behind.admin == "127.0.0.1:9900");
  const auto wait = std::get<CtlCommand>(
      parsed({"ctl", "wait-ready", "--timeout", "250ms"}, {.admin = "unix:/run/a.sock"}));
  CHECK(wait.timeout == 250ms);
  CHECK(wait.admin == "unix:/run/a.sock");
}

TEST_CASE("selftest takes nothing but --json", "[cli]") {
  CHECK_FALSE(std::get<cli::SelftestCommand>(parsed({"selftest"})).json);
  CHECK(std::get<cli::SelftestCommand>(parsed({"selftest", "--json"})).json);
  CHECK(printed({"selftest", "-c", "x.yaml"}).exit_code == 2);
}

TEST_CASE("a misuse of the command line exits with 2 and names what was wrong", "[cli]") {
  CHECK(printed({}).exit_code == 2);
  CHECK(printed({"ctl"}).exit_code == 2);
  for (const char* verb : {"reload", "top", "upgrade"}) {
    const auto misuse = printed({"ctl", verb});
    CAPTURE(verb, misuse.err);
    CHECK(misuse.exit_code == 2);
    CHECK(misuse.err.find(verb) != std::string::npos);
    CHECK(misuse.out.empty());
  }
  CHECK(printed({"fly"}).err.find("fly") != std::string::npos);
  CHECK(printed({"run", "--colour"}).err.find("--colour") != std::string::npos);
  CHECK(printed({"ctl", "wait-ready", "--timeout", "soon"}).exit_code == 2);
  for (const char* admin : {"nonsense", "127.0.0.1:", "127.0.0.1:70000", "unix:", "unix:run", ""}) {
    const auto misuse = printed({"ctl", "--admin", admin, "status"});
    CAPTURE(admin, misuse.err);
    CHECK(misuse.exit_code == 2);
    CHECK(misuse.err.find("the admin address is '" + std::string{admin} + "': ") !=
          std::string::npos);
  }
  CHECK(printed({"explain", "--admin", "nonsense", "--listener", "web"}).exit_code == 2);
}

TEST_CASE("help and version are answers", "[cli]") {
  CHECK(printed({"--version"}).out.starts_with("penstock "));
  CHECK(printed({"-V"}).out == printed({"--version"}).out);
  CHECK(printed({"version"}).out == printed({"--version"}).out);
  CHECK(printed({"help"}).out == printed({"--help"}).out);
  CHECK(printed({"--help"}).exit_code == 0);
  CHECK(printed({"run", "--help"}).out.find("--config") != std::string::npos);
  CHECK(printed({"ctl", "wait-ready", "--help"}).out.find("--timeout") != std::string::npos);
}
