// penstock: a table of contents. What must be so before the first thread, what was asked for, who
// does it.

#include <variant>

#include "cli/command_line.hpp"
#include "control/conclude.hpp"
#include "os/crash.hpp"
#include "os/process.hpp"
#include "os/signals.hpp"

using namespace penstock;

#ifndef PENSTOCK_SANITIZED
// The loader calls it before any constructor: what those do (libnuma reads /sys) would leave the
// signals to their defaults for as long as it takes. The sanitizers have to come first themselves.
[[gnu::section(".preinit_array"), gnu::used]] static void (*const hold_first)() = os::hold_signals;
#endif

int main(int argc, char** argv) {
  os::hold_signals();
  os::fill_standard_descriptors();
  os::report_crashes();
  os::ignore_broken_pipes();
  os::reap_orphans();
  os::raise_descriptor_limit();

  struct Verbs {
    int operator()(const cli::PrintCommand& command) { return cli::print(command); }
    int operator()(const control::RunCommand& command) { return control::run(command); }
    int operator()(const cli::CheckCommand& command) { return cli::check(command); }
    int operator()(const cli::ExplainCommand& command) { return cli::explain(command); }
    int operator()(const cli::NumaCommand& command) { return cli::numa(command); }
    int operator()(const cli::SelftestCommand& command) { return cli::selftest(command); }
    int operator()(const cli::CtlCommand& command) { return cli::run_ctl(command); }
  };
  return control::conclude([&] {
    const auto command = cli::parse_command_line(argc, argv,
                                                 {.config_file = os::environment("PENSTOCK_CONFIG"),
                                                  .admin = os::environment("PENSTOCK_ADMIN")});
    if (!std::holds_alternative<control::RunCommand>(command)) os::release_signals();
    return std::visit(Verbs{}, command);
  });
}
