#pragma once
// What a thread of the data plane may still do once it has settled: runtime.sandbox.
//
// Owner    control/confinement has one for each kind of thread; it outlives them.
// Thread   apply() by each thread, for itself.
// Errors   create() answers with the sentence that a user should read.

#include <optional>
#include <string>

#include "base/result.hpp"
#include "os/sandbox.hpp"
#include "os/sandbox_files.hpp"

namespace penstock::runtime {

os::CallRules acceptor_calls();
os::CallRules forwarder_calls();

class ThreadLock {
 public:
  using Created = base::SentenceOr<ThreadLock>;
  // Without file rights where the kernel has no Landlock.
  static Created create(const os::CallRules& calls, const os::FilePaths& paths,
                        os::OnRefusal on_refusal);

  // Files first: the list of calls does not name what restricts them. Where the sandbox is strict a
  // refusal ends the process: the kernel took the same at the start, and nobody runs without it.
  base::ErrorCode apply() const noexcept;
  // The same for files only, for a thread that goes on to make calls of a start.
  base::ErrorCode apply_to_files() const noexcept;
  base::ErrorCode apply_to_calls() const noexcept { return calls_.install(); }

 private:
  ThreadLock(os::CallFilter calls, std::optional<os::FileRights> files)
      : calls_{std::move(calls)}, files_{std::move(files)} {}

  os::CallFilter calls_;
  std::optional<os::FileRights> files_;
};

}  // namespace penstock::runtime
