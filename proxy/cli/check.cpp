#include "cli/check.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <iostream>

#include "base/exit_codes.hpp"
#include "budget/report.hpp"
#include "config/config.hpp"
#include "control/plan.hpp"
#include "os/privileges.hpp"
#include "report/budget_text.hpp"

namespace penstock::cli {

namespace {

// As `run` would have it, started by this user.
control::Plan plan_of_run(const config::Config& config) {
  const bool gives_up_root =
      os::current_identity().user == 0 && !config.server.runtime.user.empty();
  return control::plan_of(config, budget::limits_of_this_process(!gives_up_root));
}

}  // namespace

int check(const CheckCommand& command) {
  const config::LoadedConfig loaded = config::load_config(command.file, false);
  if (!loaded.config) {
    std::cerr << config::faults_text(loaded.faults);
    return base::misuse;
  }
  std::cout << command.file << ": ok\n";
  if (command.budget)
    std::cout << '\n'
              << report::budget_text(budget::budget_json(plan_of_run(*loaded.config).budget));
  return base::success;
}

}  // namespace penstock::cli
