// `penstock selftest`: what it says of a kernel that can everything, of one that cannot, and of one
// that lies.

#include <boost/json/parse.hpp>
#include <map>

#include "catch.hpp"
#include "e2e/penstock.hpp"
#include "e2e/program.hpp"

using namespace penstock::e2e;

namespace {

constexpr const char* strace = "/usr/bin/strace";

struct Answer {
  int exit_code = 0;
  std::string errors;
  std::map<std::string, std::string> verdicts;  // by engine
  std::map<std::string, std::string> reasons;
};

Answer read(const Finished& finished) {
  INFO(finished.output << finished.errors);
  Answer answer;
  answer.exit_code = finished.exit_code;
  answer.errors = finished.errors;
  const boost::json::value said = boost::json::parse(finished.output);
  for (const auto& engine : said.at("engines").as_array()) {
    const std::string name{engine.at("engine").as_string()};
    answer.verdicts[name] = engine.at("verdict").as_string();
    if (const auto* why = engine.as_object().if_contains("why"))
      answer.reasons[name] = why->as_string();
  }
  return answer;
}

Answer ask(const Program::Options& options = {}) {
  return read(run_program({penstock_binary(), "selftest", "--json"}, options));
}

// The kernel does to these calls what strace is told.
Answer ask_with(const std::string& injection) {
  return read(run_program({strace, "-f", "-qq", "-o", "/dev/null", "-e", "inject=" + injection,
                           penstock_binary(), "selftest", "--json"}));
}

bool can_inject() {
  const Finished tried = run_program({strace, "-o", "/dev/null", "/bin/true"});
  if (tried.exit_code != 0) WARN("skipped: strace cannot trace here");
  return tried.exit_code == 0;
}

}  // namespace

TEST_CASE("every engine is right on this kernel", "[cli]") {
  const Answer answer = ask();
  CHECK(answer.exit_code == 0);
  for (const char* engine : {"adaptive", "splice", "copy", "zerocopy", "uring", "sendfile"}) {
    INFO(engine << ": " << (answer.reasons.contains(engine) ? answer.reasons.at(engine) : ""));
    CHECK(answer.verdicts.at(engine) == "ok");
  }
  CHECK(answer.errors.empty());
  const Finished text = run_program({penstock_binary(), "selftest"});
  CHECK(text.exit_code == 0);
  CHECK(text.output.starts_with("engine    verdict       ms  tried\nadaptive  ok"));
  CHECK(text.output.find("byte-exact, half-close, urgent byte, slow reader\n") !=
        std::string::npos);
}

TEST_CASE("an engine that the kernel refuses is not here, and that is no failure", "[cli]") {
  Program::Options options;
  options.no_io_uring = true;
  const Answer answer = ask(options);
  CHECK(answer.exit_code == 0);
  CHECK(answer.verdicts.at("uring") == "not here");
  CHECK(answer.reasons.at("uring") ==
        "the kernel refuses io_uring (Operation not permitted); `run` stays with epoll");
  CHECK(answer.verdicts.at("adaptive") == "ok");
}

TEST_CASE("where splice does not work, who needs it is not here", "[cli]") {
  if (!can_inject()) return;
  const Answer answer = ask_with("splice:error=EINVAL");
  CHECK(answer.exit_code == 0);
  for (const char* engine : {"adaptive", "splice", "uring"}) {
    CHECK(answer.verdicts.at(engine) == "not here");
    CHECK(answer.reasons.at(engine) == "no splice: refused; `run` copies instead");
  }
  for (const char* engine : {"copy", "zerocopy", "sendfile"})
    CHECK(answer.verdicts.at(engine) == "ok");
}

TEST_CASE("a static server without a folder to write to is not tried", "[cli]") {
  Program::Options options;
  options.environment = {"TMPDIR=/proc"};
  const Answer answer = ask(options);
  CHECK(answer.exit_code == 0);
  CHECK(answer.verdicts.at("sendfile") == "not here");
  CHECK(answer.reasons.at("sendfile") ==
        "not tried: /proc cannot be written; set TMPDIR to a folder that can");
}

TEST_CASE("a kernel that says it moved what it did not is found out", "[cli]") {
  if (!can_inject()) return;
  // Each thread's ninth send is told that a byte went out, and none did.
  const Answer answer = ask_with("sendto:retval=1:when=9");
  CHECK(answer.exit_code == 1);
  CHECK(answer.verdicts.at("adaptive") == "WRONG");
  CHECK(answer.reasons.at("adaptive").starts_with("byte-exact: "));
  CHECK(answer.errors.find("an engine is wrong on this kernel") != std::string::npos);
}
