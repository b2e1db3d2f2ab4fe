#pragma once
// The configuration as values: what a YAML file said, checked, with every default filled in.
//
// load_config() is the only way from a file to these values. It never throws and never stops at the
// first fault: a user sees all of them at once.

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "admin/options.hpp"
#include "report/options.hpp"
#include "runtime/options.hpp"

namespace penstock::config {

// One thing that is wrong in a file: FILE:LINE:COLUMN: PATH: sentence.
struct Fault {
  std::string file;
  int line = 0;      // 1-based; 0 where the file as a whole is meant
  int column = 0;    // 1-based
  std::string path;  // like listeners[0].connect.timeout; "-" for a syntax error
  std::string sentence;

  std::string to_string() const;
  bool operator==(const Fault&) const = default;
};

// The configuration as it is in effect: config/effective.hpp.
struct EffectiveConfig {
  std::string yaml;
  std::string json;
  std::string hash;  // of the YAML, 16 hexadecimal digits
};

// Never written to once it is loaded: what the machine makes of it is a value of its own
// (control/plan).
struct Config {
  runtime::ServerSpec server;  // of `relay` only what no limit of the machine decides
  std::optional<std::size_t> max_pipes;  // relay.max_pipes; empty = auto, 0 = never a pipe
  std::optional<std::size_t> pipe_size;  // relay.pipe_size; empty = auto
  std::vector<admin::AdminBind> admin;
  report::LogOptions log;
  std::vector<std::string> warnings;  // of what was left out, for the log of who runs it
  EffectiveConfig shown;              // by GET /config

  // Whether both ask for the same. How they say it (warnings, shown) does not count: 60s is 1m.
  bool operator==(const Config& other) const;
};

struct LoadedConfig {
  std::optional<Config> config;  // empty exactly where there are faults
  std::vector<Fault> faults;     // sorted by position
};

// One a line.
std::string faults_text(const std::vector<Fault>& faults);

// Reads, replaces ${NAME}, checks, and resolves the names of binds (blocking). `resolve_names`
// false leaves them without addresses, for `check` on a machine that cannot reach the names.
// Endpoints that DNS or a file tells are found later, while running.
LoadedConfig load_config(const std::string& file, bool resolve_names = true);

// As above from a text; `file` is only a name for the faults.
LoadedConfig load_config_text(const std::string& text, const std::string& file,
                              bool resolve_names = true);

// Every key that the schema asks for while it reads `text`, as paths with list indices as [] and
// names of upstreams as *: listeners[].bind, upstreams.*.connect.timeout. For the test that
// compares config/reference.yaml with the schema, in both directions.
std::set<std::string> schema_keys(const std::string& text);

}  // namespace penstock::config
