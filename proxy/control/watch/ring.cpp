#include "control/watch/ring.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "base/result.hpp"

namespace penstock::control {

namespace {

using runtime::ForwarderView;

// Why, and what to do.
std::string_view advice_for(int error) {
  switch (error) {
    case EPERM:
    case EACCES: return "a seccomp profile or kernel.io_uring_disabled forbids it: allow it there";
    case ENOSYS: return "this kernel is built without it";
    case EINVAL: return "it needs Linux 6.1";
    case ENOMEM:
      return "its queues count as locked memory: raise RLIMIT_MEMLOCK (ulimit -l) by 256 KiB for "
             "each forwarder";
    default: return "`penstock selftest` tries it apart";
  }
}

}  // namespace

std::optional<std::string> RingWatch::look_at(const std::vector<ForwarderView>& forwarders) {
  const auto has_tried = [](const ForwarderView& view) { return view.ring_refusal.has_value(); };
  if (told_ || !std::all_of(forwarders.begin(), forwarders.end(), has_tried)) return std::nullopt;
  told_ = true;
  const auto refused = [](const ForwarderView& view) { return *view.ring_refusal != 0; };
  const auto first = std::find_if(forwarders.begin(), forwarders.end(), refused);
  if (first == forwarders.end()) return std::nullopt;
  return fmt::format(
      "relay.engine is uring, but the kernel refused io_uring to {} of {} forwarders ({}): they "
      "run "
      "on epoll, as relay.engine: adaptive does; {}",
      std::count_if(forwarders.begin(), forwarders.end(), refused), forwarders.size(),
      base::error_from(*first->ring_refusal).message(), advice_for(*first->ring_refusal));
}

}  // namespace penstock::control
