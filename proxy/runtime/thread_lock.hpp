#pragma once
// What a thread of the data plane may still do once it has settled: runtime.sandbox.
//
// Owner    Server::Parts builds one for each kind of thread, before they start. Thread: apply() by
//          each thread, for itself. Errors: create() in the words that a user should read.

#include <boost/system/result.hpp>
#include <optional>
#include <string>

#include "os/sandbox.hpp"
#include "os/sandbox_files.hpp"

namespace penstock::runtime {

os::CallRules acceptor_calls();
os::CallRules forwarder_calls();

class ThreadLock {
 public:
  using Created = boost::system::result<ThreadLock, std::string>;
  // `calls` without file rights: where the kernel has no Landlock.
  ThreadLock(os::CallFilter calls, std::optional<os::FileRights> files)
      : calls_{std::move(calls)}, files_{std::move(files)} {}

  static Created for_acceptors(const os::FilePaths& paths, os::OnRefusal on_refusal);
  static Created for_forwarders(const os::FilePaths& paths, os::OnRefusal on_refusal);

  // Files first: the list of calls does not name what restricts them. Where the sandbox is strict a
  // refusal ends the process: the kernel took the same at the start, and nobody runs without it.
  base::ErrorCode apply() const noexcept;
  // The same for files only, for a thread that goes on to make calls of a start.
  base::ErrorCode apply_to_files() const noexcept;
  base::ErrorCode apply_to_calls() const noexcept { return calls_.install(); }

 private:
  os::CallFilter calls_;
  std::optional<os::FileRights> files_;
};

// With file rights where the kernel has Landlock.
ThreadLock::Created make_lock(os::CallFilter::Compiled calls, const os::FilePaths& paths);

}  // namespace penstock::runtime
