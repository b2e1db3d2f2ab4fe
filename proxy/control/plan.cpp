#include "control/plan.hpp"

#include "config/config.hpp"

namespace penstock::control {

Plan plan_of(const config::Config& config, const budget::Limits& limits) {
  budget::Budget budget = budget::budget_of({.server = config.server,
                                             .max_pipes = config.max_pipes,
                                             .pipe_size = config.pipe_size,
                                             .admin_binds = config.admin.size()},
                                            limits);
  runtime::ServerSpec server = budget::within(budget.plan, config.server);
  return {.budget = std::move(budget), .server = std::move(server)};
}

}  // namespace penstock::control
