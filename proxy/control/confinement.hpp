#pragma once
// Least privilege: runtime.user, runtime.group and runtime.sandbox, in the order in which a start
// gives rights up.
//
//   prepare()        before the first thread: lists are compiled, no exec gives more rights
//   log_lock()       the threads of the logs lock themselves as they start
//   become_user()    everything is bound
//   lock_files()     before names are asked for and other threads start: they inherit it
//   reader_lock()    the thread that reads files of endpoints locks itself as it starts
//   locks()          acceptors and forwarders lock themselves once they have settled
//   lock_calls()     the control thread, last of all
//
// Owner    run(). Thread: control. Errors: the sentence; then penstock does not start. Where
//          runtime.sandbox is auto, what cannot be had is a line of notes() instead.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "os/privileges.hpp"
#include "os/sandbox.hpp"

namespace penstock::runtime {
struct Options;
struct ThreadLocks;
}  // namespace penstock::runtime

namespace penstock::config {
struct Config;
}

namespace penstock::control {

class Confinement {
 public:
  using Prepared = base::SentenceOr<Confinement>;
  static Prepared prepare(const config::Config& config);

  // True where become_user() will change who we are, and with that take away root's rights.
  bool changes_identity() const noexcept { return identity_.has_value(); }
  bool ends_being_root() const noexcept { return identity_ && identity_->user != 0; }
  // Whether a lock that the kernel refuses is the end.
  bool is_strict() const noexcept { return is_strict_; }
  std::function<void()> log_lock() const;
  std::function<void()> reader_lock() const;
  // Empty on success.
  std::string become_user() const;
  std::string lock_files() const;
  std::string lock_calls() const;
  runtime::ThreadLocks locks() const noexcept;

  // For the log: what holds, and what could not be had.
  const std::vector<std::string>& notes() const noexcept { return notes_; }
  // What was refused since the last time.
  static std::vector<std::string> refusals();

 private:
  std::string find_user(const runtime::Options& options);
  std::string build_locks(const config::Config& config, os::OnRefusal on_refusal);
  std::string note_missing(const std::string& what, base::ErrorCode error, bool strict);

  struct Locks;
  std::shared_ptr<const Locks> locks_;  // none: the sandbox is off
  std::optional<os::Identity> identity_;
  bool is_strict_ = false;
  bool keeps_network_admin_ = false;
  std::vector<std::string> notes_;
};

}  // namespace penstock::control
