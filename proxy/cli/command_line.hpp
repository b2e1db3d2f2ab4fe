#pragma once
// From the words of the command line to what is to be done. Pure, but for print().

#include <string>
#include <variant>

#include "cli/check.hpp"
#include "cli/ctl/verbs.hpp"
#include "cli/explain.hpp"
#include "cli/numa.hpp"
#include "cli/selftest/selftest.hpp"
#include "control/run.hpp"

namespace penstock::cli {

// There is nothing to do but to print: help, the version, or what is wrong with the command line.
struct PrintCommand {
  std::string out;  // for standard output
  std::string err;  // for standard error
  int exit_code = 0;
};

using Command = std::variant<PrintCommand, control::RunCommand, CheckCommand, ExplainCommand,
                             NumaCommand, SelftestCommand, CtlCommand>;

// The environment variables that give defaults; nullptr where they are not set.
struct CommandDefaults {
  const char* config_file = nullptr;  // PENSTOCK_CONFIG
  const char* admin = nullptr;        // PENSTOCK_ADMIN
};

Command parse_command_line(int argc, const char* const* argv, const CommandDefaults& defaults);

// The exit code.
int print(const PrintCommand& command);

}  // namespace penstock::cli
