#include "control/confinement.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>

#include "config/config.hpp"
#include "control/control_calls.hpp"
#include "os/process.hpp"
#include "os/sandbox_files.hpp"
#include "runtime/server.hpp"
#include "runtime/thread_lock.hpp"

namespace penstock::control {

namespace {

using runtime::SandboxMode;

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path{path}.parent_path();
  return folder.empty() ? "." : folder;
}

// Where a file stands, and where it leads: a link may be turned to another file there.
void add_folders(const std::string& file, std::vector<std::string>& folders) {
  folders.push_back(folder_of(file));
  std::error_code ignored;  // it may come later
  const auto target = std::filesystem::canonical(file, ignored);
  if (!target.empty()) folders.push_back(folder_of(target));
}

void add_folder(const os::SocketAddress& address, std::vector<std::string>& folders) {
  if (address.is_unix() && !address.is_abstract()) folders.push_back(folder_of(address.path()));
}

bool logs_to_file(const report::LogOptions& log) {
  return log.access_to != "stdout" && log.access_to != "stderr" && log.access_to != "off";
}

// A deploy turns a link, the root itself or one on the way to it, to a folder beside the one to
// which it leads. Where that lies at the top, a rule would allow everything: there is none.
void add_targets_of_links(const std::string& root, std::vector<std::string>& folders) {
  std::error_code ignored;
  std::filesystem::path way;
  for (const auto& part : std::filesystem::absolute(root, ignored).lexically_normal()) {
    way /= part;
    if (!std::filesystem::is_symlink(way, ignored)) continue;
    const auto target = std::filesystem::canonical(way, ignored);
    if (!target.empty() && target.parent_path() != target.root_path())
      folders.push_back(target.parent_path());
  }
}

std::vector<std::string> site_roots(const config::Config& config) {
  std::vector<std::string> roots;
  for (const auto& listener : config.server.listeners) {
    if (!listener.session.files) continue;
    roots.push_back(listener.session.files->root);
    add_targets_of_links(roots.back(), roots);
  }
  return roots;
}

os::FilePaths of_acceptors(const config::Config& config) {
  os::FilePaths paths;
  for (const auto& listener : config.server.listeners)
    for (const auto& address : listener.addresses) add_folder(address, paths.removable);
  return paths;
}

// /etc as a whole: resolv.conf and hosts are replaced by a rename, and a rule for a file would end
// with the file.
os::FilePaths of_control(const config::Config& config) {
  os::FilePaths paths = of_acceptors(config);
  paths.readable = {"/proc",
                    "/sys",
                    "/etc",
                    "/usr/share/zoneinfo",
                    "/usr/share/ca-certificates",
                    "/usr/local/share/ca-certificates",
                    "/usr/lib/ssl",
                    "/dev/null",
                    "/dev/urandom"};
  for (const std::string& root : site_roots(config)) paths.readable.push_back(root);
  for (const auto& upstream : config.server.upstreams)
    for (const auto& source : upstream.sources)
      if (const auto* file = std::get_if<upstream::FileSource>(&source))
        add_folders(file->path, paths.readable);
  for (const admin::AdminBind& bind : config.admin) add_folder(bind.address, paths.removable);
  return paths;
}

os::FilePaths of_logs(const report::LogOptions& log) {
  os::FilePaths paths;
  if (logs_to_file(log)) add_folders(log.access_to, paths.writable);
  return paths;
}

}  // namespace

struct Confinement::Locks {
  runtime::ThreadLock log;
  runtime::ThreadLock acceptor;
  runtime::ThreadLock forwarder;
  runtime::ThreadLock control;
  runtime::ThreadLock reader;
};

Confinement::Prepared Confinement::prepare(const config::Config& config) {
  const runtime::Options& options = config.server.runtime;
  Confinement result;
  if (std::string fault = result.find_user(options); !fault.empty()) return fault;
  result.keeps_network_admin_ = std::any_of(
      config.server.listeners.begin(), config.server.listeners.end(), [](const auto& listener) {
        const os::SocketOptions& socket = listener.session.socket;
        return socket.mark != 0 || !socket.congestion.empty();
      });
  const bool strict = result.is_strict_ = options.sandbox == SandboxMode::strict;
  if (os::is_sanitized_build()) {
    if (strict)
      return "runtime.sandbox: strict cannot be kept: this build has sanitizers, which make system "
             "calls of their own; set runtime.sandbox: off, or run a build without them";
    result.notes_.push_back("the sandbox is off: sanitizers make system calls of their own");
    return result;
  }
  if (options.sandbox == SandboxMode::off) return result;
  base::ErrorCode missing_calls = os::filters_refused();
  if (!missing_calls) missing_calls = os::forbid_new_privileges();
  if (std::string fault = result.note_missing("seccomp", missing_calls, strict); !fault.empty())
    return fault;
  if (missing_calls) return result;
  const auto files = os::FileRights::create({});
  const base::ErrorCode missing_files = files ? base::ErrorCode{} : files.error();
  if (std::string fault = result.note_missing("Landlock", missing_files, strict); !fault.empty())
    return fault;
  os::forbid_dumps();
  const auto on_refusal = strict ? os::OnRefusal::kill : os::OnRefusal::report;
  if (std::string fault = result.build_locks(config, on_refusal); !fault.empty()) return fault;
  result.notes_.push_back(fmt::format(
      "sandbox: every thread has a list of the system calls it may make{}; what is not on it {}",
      missing_files ? "" : ", and of files", strict ? "ends the process" : "fails"));
  return result;
}

std::string Confinement::note_missing(const std::string& what, base::ErrorCode error, bool strict) {
  if (!error) return {};
  if (strict)
    return fmt::format(
        "runtime.sandbox: strict cannot be kept: {} cannot be had here ({}); a container needs an "
        "engine whose seccomp profile allows it; else set runtime.sandbox: auto",
        what, error.message());
  notes_.push_back(fmt::format("the sandbox goes without {}: {}", what, error.message()));
  return {};
}

std::string Confinement::find_user(const runtime::Options& options) {
  if (options.user.empty() && options.group.empty()) return {};
  const auto found = os::find_identity(options.user, options.group);
  if (!found) return found.error();
  const os::Identity now = os::current_identity();
  if (found->user == now.user && found->group == now.group) return {};
  if (now.user != 0)
    return fmt::format(
        "runtime.user: only root can become user {} and group {}, and this is user {}: start "
        "penstock as root, or leave runtime.user and runtime.group out",
        found->user, found->group, now.user);
  identity_ = *found;
  return {};
}

std::string Confinement::build_locks(const config::Config& config, os::OnRefusal on_refusal) {
  using runtime::ThreadLock;
  auto log =
      ThreadLock::create(log_calls(logs_to_file(config.log)), of_logs(config.log), on_refusal);
  if (!log) return log.error();
  auto acceptor = ThreadLock::create(runtime::acceptor_calls(), of_acceptors(config), on_refusal);
  if (!acceptor) return acceptor.error();
  auto forwarder =
      ThreadLock::create(runtime::forwarder_calls(), {.readable = site_roots(config)}, on_refusal);
  if (!forwarder) return forwarder.error();
  auto control = ThreadLock::create(control_calls(), of_control(config), on_refusal);
  if (!control) return control.error();
  auto reader = ThreadLock::create(reader_calls(), {}, on_refusal);
  if (!reader) return reader.error();
  locks_ = std::make_shared<const Locks>(Locks{.log = std::move(*log),
                                               .acceptor = std::move(*acceptor),
                                               .forwarder = std::move(*forwarder),
                                               .control = std::move(*control),
                                               .reader = std::move(*reader)});
  return {};
}

std::function<void()> Confinement::log_lock() const {
  // Here and not on the threads: each would read the files again, under a lock of the C library
  // that the thread sanitizer does not see.
  os::load_time_zone();
  return [locks = locks_] {
    os::name_thread("log");
    // It has no log to say an error in, and the others say the same of themselves.
    if (locks) static_cast<void>(locks->log.apply());
  };
}

// Its files are those of control, from which it inherits them.
std::function<void()> Confinement::reader_lock() const {
  return [locks = locks_] {
    os::name_thread("files");
    if (locks) static_cast<void>(locks->reader.apply_to_calls());
  };
}

std::string Confinement::become_user() const {
  if (!identity_) return {};
  const std::string fault = os::become(*identity_, keeps_network_admin_);
  return fault.empty() ? fault : "runtime.user: " + fault;
}

std::string Confinement::lock_files() const {
  if (!locks_) return {};
  const auto error = locks_->control.apply_to_files();
  return error ? "the sandbox: Landlock: " + error.message() : std::string{};
}

std::string Confinement::lock_calls() const {
  if (!locks_) return {};
  const auto error = locks_->control.apply_to_calls();
  return error ? "the sandbox: seccomp: " + error.message() : std::string{};
}

runtime::ThreadLocks Confinement::locks() const noexcept {
  if (!locks_) return {};
  return {.acceptor = &locks_->acceptor, .forwarder = &locks_->forwarder};
}

std::vector<std::string> Confinement::refusals() {
  std::vector<std::string> sentences;
  for (const os::Refusal& refusal : os::take_refusals())
    sentences.push_back(fmt::format(
        "the sandbox refused the system call {} in thread {}: it failed with EPERM; report this "
        "line; runtime.sandbox: off runs without",
        refusal.call, refusal.thread));
  return sentences;
}

}  // namespace penstock::control
