#include "cli/selftest/selftest.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <iostream>

#include "base/exit_codes.hpp"
#include "cli/selftest/trial.hpp"
#include "os/process.hpp"

namespace penstock::cli {

namespace {

using Kind = EngineVerdict::Kind;

std::string_view word_for(Kind kind) {
  switch (kind) {
    case Kind::right: return "ok";
    case Kind::wrong: return "WRONG";
    case Kind::not_here: return "not here";
  }
  return "";
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string text_of(const std::vector<EngineVerdict>& verdicts) {
  std::string text = fmt::format("{:<10}{:<10}{:>6}  {}\n", "engine", "verdict", "ms", "tried");
  for (const EngineVerdict& verdict : verdicts)
    text += fmt::format("{:<10}{:<10}{:>6}  {}\n", verdict.engine, word_for(verdict.kind),
                        verdict.milliseconds,
                        verdict.kind == Kind::right ? joined(verdict.tried) : verdict.why);
  return text;
}

boost::json::object json_of(const std::vector<EngineVerdict>& verdicts, bool ok) {
  boost::json::array engines;
  for (const EngineVerdict& verdict : verdicts) {
    boost::json::object engine{
        {"engine", verdict.engine},
        {"verdict", word_for(verdict.kind)},
        {"milliseconds", verdict.milliseconds},
        {"tried", boost::json::array(verdict.tried.begin(), verdict.tried.end())}};
    if (!verdict.why.empty()) engine["why"] = verdict.why;
    engines.push_back(std::move(engine));
  }
  return {{"ok", ok}, {"engines", std::move(engines)}};
}

// A trial that meets the limit would say of the engine what is true of the limit.
std::string too_few_descriptors() {
  constexpr std::size_t needed = 32;  // 24 were enough
  if (os::descriptor_limit() >= needed) return {};
  return fmt::format(
      "nothing was tried: the limit of {} descriptors is too low, raise it to at least {} (ulimit "
      "-n)",
      os::descriptor_limit(), needed);
}

}  // namespace

int selftest(const SelftestCommand& command) {
  if (const std::string fault = too_few_descriptors(); !fault.empty()) {
    std::cerr << "penstock selftest: " << fault << '\n';
    return base::failure;
  }
  std::vector<EngineVerdict> verdicts;
  for (std::size_t i = 0; i < relay::engine_policy_names.size(); ++i)
    verdicts.push_back(try_engine(static_cast<relay::EnginePolicy>(i)));
  verdicts.push_back(try_sendfile());
  const auto is_wrong = [](const EngineVerdict& verdict) { return verdict.kind == Kind::wrong; };
  const bool ok = std::none_of(verdicts.begin(), verdicts.end(), is_wrong);
  std::cout << (command.json ? boost::json::serialize(json_of(verdicts, ok)) + '\n'
                             : text_of(verdicts));
  if (ok) return base::success;
  std::cerr << "penstock selftest: an engine is wrong on this kernel: do not use it "
               "(relay.engine), and report what stands above\n";
  return base::failure;
}

}  // namespace penstock::cli
