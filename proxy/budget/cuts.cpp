// What the kernel cuts without a word: listen(2) and setsockopt(2) succeed all the same.

#include <fmt/core.h>

#include <algorithm>

#include "budget/budget.hpp"
#include "budget/buffer_limits.hpp"

namespace penstock::budget {

namespace {

// One sentence for all listeners that ask for too long a queue; empty where none does.
std::string backlogs_that_are_cut(const std::vector<runtime::ListenerSpec>& listeners,
                                  std::uint64_t limit) {
  std::uint64_t most = 0;
  std::size_t others = 0;
  std::string first;
  for (const runtime::ListenerSpec& listener : listeners) {
    const auto asked = static_cast<std::uint64_t>(listener.listen.backlog);
    if (asked <= limit) continue;
    if (most > 0) ++others;
    if (most == 0) first = listener.session.name;
    most = std::max(most, asked);
  }
  if (most == 0) return {};
  const std::string more = others == 0 ? std::string{} : fmt::format(" and {} more", others);
  return fmt::format(
      "backlog of listener {}{} is {}, but the kernel cuts it to {}: raise net.core.somaxconn to "
      "at least {} (sysctl, --sysctl of a container) or ask for less",
      first, more, most, limit, most);
}

}  // namespace

std::vector<std::string> kernel_cuts(const runtime::ServerSpec& spec,
                                     const os::SocketLimits& limits) {
  std::vector<std::string> sentences = buffers_that_are_cut(spec.listeners);
  if (limits.accept_queue_max == 0) return sentences;  // it cannot be read, and is not guessed
  std::string backlogs = backlogs_that_are_cut(spec.listeners, limits.accept_queue_max);
  if (!backlogs.empty()) sentences.push_back(std::move(backlogs));
  return sentences;
}

}  // namespace penstock::budget
