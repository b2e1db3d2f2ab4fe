#include "e2e/penstock.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include "catch.hpp"
#include "e2e/network.hpp"

namespace penstock::e2e {

namespace {

std::string in_flow(const std::string& keys) {
  return keys.empty() ? "" : ", " + keys;
}

std::string endpoint_from(const std::string& endpoint) {
  if (endpoint.starts_with('{')) return endpoint;
  const auto blank = endpoint.find(' ');
  if (blank == endpoint.npos) return '"' + endpoint + '"';
  return "{address: \"" + endpoint.substr(0, blank) + "\", name: " + endpoint.substr(blank + 1) +
         "}";
}

std::string section(const std::string& name, const std::string& keys) {
  return keys.empty() ? "" : name + ": {" + keys + "}\n";
}

// Every case that does not choose an engine itself can be run with each: tests/e2e/CMakeLists.txt.
std::string relay_of(const Plan& plan) {
  const char* engine = std::getenv("PENSTOCK_TEST_ENGINE");
  if (engine == nullptr || plan.relay.find("engine:") != std::string::npos) return plan.relay;
  return std::string{"engine: "} + engine + in_flow(plan.relay);
}

}  // namespace

std::string yaml_from(const Plan& plan, const std::string& bind, const std::string& admin) {
  std::string endpoints;
  for (const std::string& endpoint : plan.endpoints)
    endpoints += (endpoints.empty() ? "" : ", ") + endpoint_from(endpoint);
  std::string yaml = "listeners:\n  - {name: web, bind: \"" + bind + "\"";
  yaml += plan.endpoints.empty() ? "" : ", upstream: app";
  yaml += in_flow(plan.listener) + "}\n" + plan.more_listeners;
  if (!plan.endpoints.empty())
    yaml += "upstreams:\n  app: {endpoints: [" + endpoints + "]" + in_flow(plan.upstream) + "}\n";
  yaml += section("defaults", plan.defaults) + section("relay", relay_of(plan));
  yaml += section("runtime", plan.runtime);
  yaml += "admin: {bind: \"" + admin + "\"}\n";
  yaml +=
      "log: {format: json, access: {to: \"" + plan.access + "\", events: [" + plan.events + "]}}\n";
  return yaml;
}

Penstock::Penstock(Plan plan) {
  // Between the choice of a port and its use somebody else may take it.
  for (int tries = 0; tries < 5; ++tries)
    if (start(plan)) return;
  throw Failure{"penstock does not start: " + program_->errors()};
}

bool Penstock::start(const Plan& plan) {
  bind_ = plan.bind.empty() ? free_address() : plan.bind;
  admin_ = free_address();
  file_ = folder_.write("penstock.yaml", yaml_from(plan, bind_, admin_));
  if (plan.program.user != 0)
    std::filesystem::permissions(folder_.path(), std::filesystem::perms{0755});
  options_ = plan.program;
  start_again();
  wait_until("penstock is ready", [this] { return !program_->running() || is_ready(); });
  if (program_->running()) return true;
  const int code = program_->wait();
  if (program_->errors().find("in use") != std::string::npos) return false;
  throw Failure{"penstock does not start, exit code " + std::to_string(code) + ": " +
                program_->errors()};
}

bool Penstock::is_ready() {
  try {
    return http(admin_, "GET", "/readyz").status == 200;
  } catch (const Failure&) {
    return false;
  }
}

void Penstock::start_again() {
  program_ = std::make_unique<Program>(
      std::vector<std::string>{penstock_binary(), "run", "-c", file_}, options_);
  checked_ = false;
}

void Penstock::wait_until_ready() {
  wait_until("penstock is ready", [this] {
    if (!program_->running()) throw Failure{"penstock has ended: " + program_->errors()};
    return is_ready();
  });
}

Penstock::~Penstock() {
  if (checked_ || !program_) return;
  try {
    stop();
  } catch (const std::exception& failure) {
    FAIL_CHECK(failure.what());
  }
}

void Penstock::stop() {
  if (checked_) return;
  if (program_->running()) program_->signal(SIGTERM);
  expect_clean_end();
}

void Penstock::expect_clean_end(Milliseconds deadline) {
  checked_ = true;
  const int code = program_->wait(deadline);
  const std::string errors = program_->errors();
  INFO("stderr of penstock:\n" << errors);
  CHECK(code == 0);
  CHECK(complaint_in(errors) == "");
}

int Penstock::wait_for_end(Milliseconds deadline) {
  checked_ = true;
  return program_->wait(deadline);
}

std::vector<Record> Penstock::records() const {
  std::vector<Record> records;
  const std::string text = program_->output();
  std::size_t begin = 0;
  for (auto end = text.find('\n'); end != text.npos; end = text.find('\n', begin)) {
    records.push_back(boost::json::parse(text.substr(begin, end - begin)).as_object());
    begin = end + 1;
  }
  return records;
}

Record Penstock::record_where(const std::string& what,
                              const std::function<bool(const Record&)>& fits,
                              Milliseconds deadline) const {
  Record found;
  const auto look = [&] {
    for (const Record& record : records())
      if (fits(record)) {
        found = record;
        return true;
      }
    return false;
  };
  wait_until("a record " + what, look, deadline);
  return found;
}

Record Penstock::record_of(const Peer& client) const {
  const std::string ending = ":" + client.local_port();
  return record_where("of the client " + ending, [&](const Record& record) {
    return text_of(record, "event") == "close" && text_of(record, "client").ends_with(ending);
  });
}

Record Penstock::record_with_reason(const std::string& reason, Milliseconds deadline) const {
  return record_where(
      "with the reason " + reason,
      [&](const Record& record) { return text_of(record, "reason") == reason; }, deadline);
}

void Penstock::wait_for_records(std::size_t count, Milliseconds deadline) const {
  const auto lines = [this] {
    const std::string text = program_->output();
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  };
  wait_until(
      std::to_string(count) + " records", [&] { return lines() >= count; }, deadline);
}

Metrics Penstock::metrics() const {
  return Metrics{http(admin_, "GET", "/metrics").body};
}

void Penstock::wait_for_metric(const std::string& name, const Labels& labels, double value) const {
  wait_until(name + " reaches " + std::to_string(value),
             [&] { return metrics().sum(name, labels) >= value; });
}

void Penstock::wait_until_rest() const {
  wait_until("no connection is open",
             [&] { return metrics().sum("penstock_connections_active") == 0; });
}

std::string text_of(const Record& record, const std::string& key) {
  const auto* value = record.if_contains(key);
  return value != nullptr && value->is_string() ? std::string{value->as_string()} : std::string{};
}

std::uint64_t number_of(const Record& record, const std::string& key) {
  const auto* value = record.if_contains(key);
  return value != nullptr && value->is_number() ? value->to_number<std::uint64_t>() : 0;
}

std::string penstock_binary() {
  const char* named = std::getenv("PENSTOCK_BINARY");
  return named != nullptr ? named : PENSTOCK_BINARY;
}

bool is_sanitized() {
  static const bool found = [] {
    std::ifstream file{penstock_binary(), std::ios::binary};
    const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
    return bytes.find("__asan_init") != bytes.npos || bytes.find("__tsan_init") != bytes.npos;
  }();
  return found;
}

std::string complaint_in(const std::string& errors) {
  for (const char* word :
       {"Sanitizer", "runtime error:", "assertion", "terminate called", "the sandbox refused"})
    if (const auto at = errors.find(word); at != errors.npos) return errors.substr(at, 2000);
  return {};
}

}  // namespace penstock::e2e
