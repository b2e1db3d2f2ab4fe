#include "runtime/thread_lock.hpp"

#include "base/assert.hpp"
#include "os/sandbox_calls.hpp"

namespace penstock::runtime {

namespace calls = os::calls;

os::CallRules acceptor_calls() {
  return calls::thread() + calls::loop() + calls::accept();
}

os::CallRules forwarder_calls() {
  return calls::thread() + calls::poller() + calls::ring() + calls::relay() + calls::connect() +
         calls::send_files();
}

ThreadLock::Created ThreadLock::create(const os::CallRules& calls, const os::FilePaths& paths,
                                       os::OnRefusal on_refusal) {
  auto filter = os::CallFilter::compile(calls, on_refusal);
  if (!filter) return "the list of system calls: " + filter.error();
  std::optional<os::FileRights> rights;
  if (auto files = os::FileRights::create(paths)) rights = std::move(*files);
  return ThreadLock{std::move(*filter), std::move(rights)};
}

base::ErrorCode ThreadLock::apply() const noexcept {
  base::ErrorCode error = apply_to_files();
  if (!error) error = apply_to_calls();
  PENSTOCK_ASSERT(!error || calls_.on_refusal() == os::OnRefusal::report);
  return error;
}

base::ErrorCode ThreadLock::apply_to_files() const noexcept {
  return files_ ? files_->apply() : base::ErrorCode{};
}

}  // namespace penstock::runtime
