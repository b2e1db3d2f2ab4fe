#include "control/run.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <iostream>
#include <stdexcept>

#include "admin/server.hpp"
#include "admin/token_file.hpp"
#include "base/exit_codes.hpp"
#include "base/version.hpp"
#include "budget/report.hpp"
#include "config/config.hpp"
#include "control/conclude.hpp"
#include "control/confinement.hpp"
#include "control/plan.hpp"
#include "control/server_view.hpp"
#include "control/upstreams/sources.hpp"
#include "io/work.hpp"
#include "os/clock.hpp"
#include "os/process.hpp"
#include "os/signals.hpp"
#include "runtime/options.hpp"
#include "runtime/server.hpp"
#include "session/listener.hpp"
#include "upstream/registry.hpp"

namespace penstock::control {

namespace {

constexpr base::Duration log_patience = std::chrono::seconds{1};
// So long a flush may take at any rate: what is not stuck needs less.
constexpr base::Duration log_patience_least = std::chrono::milliseconds{100};
// A start waits so long for name servers and files of endpoints. Who starts us watches `/readyz`.
constexpr base::Duration first_answers_patience = std::chrono::seconds{3};

logging::Log::Options log_options(const report::LogOptions& options,
                                  const Confinement& confinement) {
  const bool colour = os::environment("NO_COLOR") == nullptr && os::is_terminal(2);
  return {.level = static_cast<logging::Severity>(options.level),
          .json = options.format == report::LogFormat::json,
          .colour = colour,
          .on_thread_start = confinement.log_lock()};
}
static_assert(static_cast<int>(report::LogLevel::error) ==
              static_cast<int>(logging::Severity::error));

std::string listed(const std::vector<os::SocketAddress>& addresses) {
  std::string text;
  for (const auto& address : addresses) text += (text.empty() ? "" : ", ") + address.to_string();
  return text;
}

void tell_what_runs(const runtime::Server& server, const admin::AdminServer& admin,
                    std::string_view ends_first, logging::Log& log) {
  for (const auto& listener : server.listeners())
    log.info(fmt::format("listener {} on {}", listener->options.name,
                         listed(server.addresses(listener->index))));
  for (const std::string& decision : server.decisions()) log.info(decision);
  log.info(
      fmt::format("at most {} connections: {} ends first", server.connections_max(), ends_first));
  if (!admin.addresses().empty()) log.info("admin on " + listed(admin.addresses()));
}

void tell_plan(const budget::Plan& plan, logging::Log& log) {
  for (const std::string& warning : plan.warnings) log.warning(warning);
  log.info(fmt::format("at most {} pipes of {} KiB, {} for each forwarder", plan.pipes_total,
                       plan.pipe_bytes / 1024, plan.pipes_per_forwarder));
  if (plan.grown_pipes_per_forwarder > 0)
    log.info(fmt::format("at most {} of them grow to {} KiB", plan.grown_pipes_per_forwarder,
                         plan.grown_pipe_bytes / 1024));
  if (plan.open_files > 0)
    log.info(fmt::format("at most {} files are kept open between requests", plan.open_files));
}

// The socket of the admin is his who will run: it is closed to everybody else. Throws a sentence.
std::vector<admin::AdminBind> admin_of(const config::Config& config) {
  std::vector<admin::AdminBind> binds = config.admin;
  for (admin::AdminBind& bind : binds) {
    bind.owner = config.server.runtime.user;
    bind.group = config.server.runtime.group;
    if (bind.token_file.empty()) continue;
    admin::Token token = admin::read_private_token(bind.token_file);
    if (!token.error.empty()) throw std::runtime_error{"admin.token_file: " + token.error};
    bind.token = std::move(token.text);
  }
  return binds;
}

// Everything is bound. Empty on success.
std::string give_up_rights(const Confinement& confinement, logging::Log& log) {
  if (std::string fault = confinement.become_user(); !fault.empty()) return fault;
  const os::Identity identity = os::current_identity();
  if (confinement.changes_identity())
    log.info(fmt::format("runs as user {} and group {}", identity.user, identity.group));
  if (identity.user == 0)
    log.info("runs as root: with runtime.user it would give up what it does not need");
  for (const std::string& note : confinement.notes()) log.info(note);
  const std::string refused = confinement.lock_files();
  if (refused.empty() || confinement.is_strict()) return refused;
  log.warning(refused + ": penstock goes on without");
  return {};
}

int refuse(logging::Log& log, const std::string& sentence) {
  log.error(sentence);
  return base::failure;
}

// Bottom up: upstreams, server, watch, lifecycle, admin; and down again in the opposite order, so
// that the threads are joined before the upstreams go. `ends_by` is until when the logs may be
// flushed, where the lifecycle came to its end.
int serve(const config::Config& config, const Confinement& confinement, logging::Log& log,
          report::AccessLog& access_log, base::Instant& ends_by) {
  log.info(fmt::format("penstock {}, process {}", base::version(), os::process_id()));
  for (const std::string& warning : config.warnings) log.warning(warning);
  auto [budget, spec] =
      plan_of(config, budget::limits_of_this_process(!confinement.ends_being_root()));
  tell_plan(budget.plan, log);
  const io::OwnedIo owned = io::make_io();
  boost::asio::io_context& io = *owned;
  Signals signals{io};
  upstream::Registry registry{config.server.upstreams, os::now()};
  auto created =
      runtime::Server::create(std::move(spec), report::log_switches(config.log), registry);
  if (!created) return refuse(log, created.error());
  runtime::Server& server = **created;
  ForwarderWatch watch{server, os::now()};
  UpstreamControl upstreams{io, registry, server, log};
  UpstreamFeeds feeds{io,
                      registry,
                      server.spec().listeners,
                      upstreams,
                      log,
                      budget.plan.checks_at_once,
                      confinement.reader_lock()};
  Lifecycle lifecycle{
      {io, signals, registry, server, watch, access_log, upstreams, log, confinement}};
  ServerView view{
      registry, server, watch, access_log, upstreams, lifecycle, {budget, config.shown}};
  auto admin = admin::AdminServer::create(io, admin_of(config), view,
                                          {.connections_max = budget.plan.admin_places});
  if (!admin) return refuse(log, admin.error());
  lifecycle.when_listeners_closed([&server = **admin] { server.stop_listening(); });
  tell_what_runs(server, **admin, budget::connections_end_first(budget), log);
  if (std::string fault = give_up_rights(confinement, log); !fault.empty())
    return refuse(log, fault);
  feeds.await_first_answers(first_answers_patience,
                            [&lifecycle] { return lifecycle.is_wanted_to_end(); });
  upstreams.refresh();
  const int exit_code = lifecycle.run() ? base::success : base::failure;
  ends_by = lifecycle.ends_by();
  return exit_code;
}

// Asked before anything is opened. They are not ours to close: a lock or a socket that a supervisor
// means to keep open may be among them.
void tell_what_was_inherited(std::uint64_t open, logging::Log& log) {
  constexpr std::uint64_t standard = 3;
  if (open <= standard) return;
  log.info(fmt::format(
      "{} descriptors were open at the start: they are left alone and count against the limit; if "
      "nobody meant to pass them on, close them in what starts penstock",
      open - standard));
}

base::Duration patience_until(base::Instant ends_by) {
  if (ends_by == base::never) return log_patience;
  return std::clamp(ends_by - os::now(), log_patience_least, log_patience);
}

int serve_with_logs(const config::Config& config, const Confinement& confinement,
                    logging::Log& log) {
  int exit_code = base::failure;
  bool written = true;
  base::Instant ends_by = base::never;
  try {
    auto access_log = report::AccessLog::open(config.log, report::names_of(config.server),
                                              confinement.log_lock());
    if (access_log) {
      exit_code = serve(config, confinement, log, **access_log, ends_by);
      written = (*access_log)->flush(patience_until(ends_by));
      if (!written) {
        log.warning("the target of the access log is stuck: its last lines are lost");
        access_log->release();  // its destructor would wait for the target
      }
    } else {
      log.error(access_log.error());
    }
  } catch (const std::exception& error) {
    log.error(sentence_for(error));
  }
  if (!log.flush(patience_until(ends_by)) || !written) os::exit_now(exit_code);
  return exit_code;
}

// Names may be slow to resolve, files long to read.
config::LoadedConfig load_interruptibly(const std::string& file) {
  const os::SignalsWhileReading obeyed;
  return config::load_config(file);
}

}  // namespace

int run(const RunCommand& command) {
  config::LoadedConfig loaded = load_interruptibly(command.file);
  if (!loaded.config) {
    std::cerr << config::faults_text(loaded.faults);
    return base::misuse;
  }
  try {
    const std::uint64_t inherited = os::process_usage().open_descriptors;
    const auto confinement = Confinement::prepare(*loaded.config);
    if (!confinement) {
      std::cerr << confinement.error() << '\n';
      return base::failure;
    }
    logging::Log log{log_options(loaded.config->log, *confinement)};
    tell_what_was_inherited(inherited, log);
    return serve_with_logs(*loaded.config, *confinement, log);
  } catch (const std::exception& error) {
    // The log is what could not be had.
    std::cerr << sentence_for(error) << '\n';
    return base::failure;
  }
}

}  // namespace penstock::control
