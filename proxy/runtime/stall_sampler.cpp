#include "runtime/stall_sampler.hpp"

#include <algorithm>

#include "session/context.hpp"
#include "session/session.hpp"
#include "session/session_table.hpp"

namespace penstock::runtime {

using session::Session;

namespace {
// Who stands in a list of the forwarder has its turn to come, and does not sleep.
std::optional<std::uint64_t> sleeps_in_vain(Session& session, session::Context& context) noexcept {
  if (session.session::ListHook::is_linked()) return std::nullopt;
  return session.looks_stalled(context);
}
}  // namespace

std::span<Session* const> StallSampler::look(const session::SessionTable& table,
                                             session::Context& context) noexcept {
  confirm(table, context);
  suspect(table, context);
  return {stalled_.data(), stalled_count_};
}

void StallSampler::confirm(const session::SessionTable& table, session::Context& context) noexcept {
  stalled_count_ = 0;
  for (std::size_t i = 0; i < suspect_count_; ++i) {
    const Suspect& suspect = suspects_[i];
    Session* session = table.at(suspect.slot);
    if (session == nullptr || session->arrival().id != suspect.id) continue;
    if (sleeps_in_vain(*session, context) == suspect.progress) stalled_[stalled_count_++] = session;
  }
  suspect_count_ = 0;
}

void StallSampler::suspect(const session::SessionTable& table, session::Context& context) noexcept {
  const auto stalled = std::span{stalled_}.first(stalled_count_);
  const std::size_t looks = std::min(base::stall_looks_max, table.slots());
  for (std::size_t i = 0; i < looks && suspect_count_ < suspects_.size(); ++i) {
    next_ = (next_ + 1) % table.slots();
    Session* session = table.at(next_);
    if (session == nullptr || std::find(stalled.begin(), stalled.end(), session) != stalled.end())
      continue;
    if (const auto progress = sleeps_in_vain(*session, context))
      suspects_[suspect_count_++] = {
          .slot = next_, .id = session->arrival().id, .progress = *progress};
  }
}

}  // namespace penstock::runtime
