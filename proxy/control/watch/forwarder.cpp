#include "control/watch/forwarder.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "base/limits.hpp"
#include "report/stall_text.hpp"
#include "runtime/round_times.hpp"
#include "runtime/server.hpp"
#include "session/listener.hpp"
#include "session/stall.hpp"

namespace penstock::control {

namespace {
constexpr int stalls_told_max = 10;  // a tick; the metric counts all of them
}  // namespace

std::optional<std::string> BlockedRounds::look(std::size_t forwarder,
                                               const runtime::RoundTimes& rounds,
                                               base::Instant now) {
  const base::Duration under_way = rounds.under_way(now);
  const bool lasts = under_way > base::round_max;
  const std::uint64_t blocked = rounds.blocked();
  if ((blocked == told_ && !lasts) || !limit_.take(now)) return std::nullopt;
  const auto took = lasts ? under_way : rounds.last_blocked();
  // The one that lasts will be counted when it ends.
  told_ = blocked + (lasts ? 1 : 0);
  return fmt::format(
      "forwarder {} {} {} ms for one round of its loop: a call blocked it, or it was not given a "
      "CPU; its connections waited",
      forwarder, lasts ? "has needed" : "needed",
      std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
}

ForwarderWatch::ForwarderWatch(runtime::Server& server, base::Instant now)
    : server_{server}, last_tick_{now} {
  const std::size_t count = server.forwarders().size();
  asked_.assign(count, now);
  busy_.assign(count, base::Duration{0});
  blocked_.resize(count);
  busy_ratios_.assign(count, 0.0);
}

std::vector<std::string> ForwarderWatch::tick(base::Instant now) {
  std::vector<std::string> warnings;
  const auto passed = static_cast<double>((now - last_tick_).count());
  last_tick_ = now;
  for (const runtime::ForwarderView& forwarder : server_.forwarders()) {
    const std::size_t i = forwarder.index;
    const base::Duration total = forwarder.rounds.busy();
    const auto busy = static_cast<double>((total - busy_[i]).count());
    busy_[i] = total;
    if (passed > 0) busy_ratios_[i] = std::clamp(busy / passed, 0.0, 1.0);
    if (auto warning = blocked_[i].look(i, forwarder.rounds, now))
      warnings.push_back(std::move(*warning));
    if (forwarder.last_answer >= asked_[i]) asked_[i] = now;
  }
  session::Stall stall;
  for (int told = 0; told < stalls_told_max && server_.take_stall(stall); ++told)
    warnings.push_back(
        report::stall_text(stall, server_.listeners()[stall.listener]->options.name));
  server_.ping();
  return warnings;
}

bool ForwarderWatch::answers(const runtime::ForwarderView& forwarder,
                             base::Instant now) const noexcept {
  const base::Instant asked = asked_[forwarder.index];
  return forwarder.last_answer >= asked || now - asked <= base::forwarder_silent_max;
}

}  // namespace penstock::control
