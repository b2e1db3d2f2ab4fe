#pragma once
// penstock itself, with a listener, an upstream and an admin address, in a folder of its own.
//
//   Origin origin;
//   Penstock penstock{{.endpoints = {origin.address()}, .listener = "idle_timeout: 300ms"}};
//   Peer client = penstock.client();
//
// Owner    the test. What still runs at the end is stopped by SIGTERM.
// Checks   at the end: exit code 0, and neither an assertion nor a sanitizer spoke on stderr.

#include <boost/json/object.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "e2e/metrics.hpp"
#include "e2e/peer.hpp"
#include "e2e/program.hpp"
#include "e2e/temporary_folder.hpp"

namespace penstock::e2e {

using Record = boost::json::object;  // a line of the access log

struct Plan {
  std::vector<std::string>
      endpoints{};     // of the upstream `app`; a name after a blank: "ADDRESS blue"; or a YAML map
  std::string bind{};  // of the listener `web`; empty = a free loopback address
  // Further keys, as YAML in flow style, of: the listener, the upstream, defaults, relay, runtime.
  std::string listener{};
  std::string upstream{};
  std::string defaults{};
  std::string relay{};
  std::string runtime = "drain: {timeout: 5s}";
  std::string more_listeners{};   // as items of the list, in flow style
  std::string access = "stdout";  // where the access log goes
  std::string events = "close";
  Program::Options program{};
};

// The text of the file.
std::string yaml_from(const Plan& plan, const std::string& bind, const std::string& admin);

class Penstock {
 public:
  explicit Penstock(Plan plan);
  Penstock(const Penstock&) = delete;
  Penstock& operator=(const Penstock&) = delete;
  ~Penstock();

  Peer client() const { return Peer::connect(bind_); }
  Peer client(const Peer::Options& options) const { return Peer::connect(bind_, options); }
  const std::string& address() const noexcept { return bind_; }
  const std::string& admin() const noexcept { return admin_; }
  const std::string& config_file() const noexcept { return file_; }
  Program& program() noexcept { return *program_; }

  // The access log: every record so far; or the first that fits, waited for.
  std::vector<Record> records() const;
  Record record_where(const std::string& what, const std::function<bool(const Record&)>& fits,
                      Milliseconds deadline = soon) const;
  Record record_of(const Peer& client) const;  // by its port
  Record record_with_reason(const std::string& reason, Milliseconds deadline = soon) const;
  void wait_for_records(std::size_t count, Milliseconds deadline = soon) const;

  Metrics metrics() const;
  // Waits until the metric reaches the value.
  void wait_for_metric(const std::string& name, const Labels& labels, double value) const;
  void wait_until_rest() const;  // no connection is open

  // SIGTERM, and then all checks; more than once does no harm.
  void stop();
  // Only what stop() checks once the process is ending by itself.
  void expect_clean_end(Milliseconds deadline = soon);
  // For a test that ends it by force: its exit code, which nobody checks. Then it may be started
  // again, with the same file and addresses; that does not wait.
  int wait_for_end(Milliseconds deadline = soon);
  void start_again();
  void wait_until_ready();

 private:
  bool start(const Plan& plan);
  bool is_ready();

  TemporaryFolder folder_;
  std::string bind_;
  std::string admin_;
  std::string file_;
  Program::Options options_;
  std::unique_ptr<Program> program_;
  bool checked_ = false;
};

std::string text_of(const Record& record, const std::string& key);      // empty where it is missing
std::uint64_t number_of(const Record& record, const std::string& key);  // 0 where it is missing

// The binary under test: what the environment calls PENSTOCK_BINARY, else that of the same build.
std::string penstock_binary();
// It was built with a sanitizer, and is slower for it.
bool is_sanitized();
// What a sanitizer or an assertion says, in the text of stderr; empty where all is well.
std::string complaint_in(const std::string& errors);

}  // namespace penstock::e2e
