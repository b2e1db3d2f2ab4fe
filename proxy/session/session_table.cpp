#include "session/session_table.hpp"

#include "base/assert.hpp"
#include "files/site_cache.hpp"

namespace penstock::session {

SessionTable::SessionTable(std::pmr::memory_resource& memory, files::SiteCaches& sites)
    : sites_{sites}, proxied_{memory}, static_{memory}, slots_{&memory}, free_{&memory} {}

Session& SessionTable::create(const Arrival& arrival) {
  if (free_.empty()) {
    // Ahead of slots_, so that destroy() never allocates.
    if (free_.capacity() == slots_.size()) free_.reserve(2 * slots_.size() + 1);
    slots_.push_back(nullptr);
    free_.push_back(static_cast<std::uint32_t>(slots_.size() - 1));
  }
  Session* session = nullptr;
  if (arrival.listener->site)
    session = static_.create(arrival, sites_.of(*arrival.listener->site));
  else
    session = proxied_.create(arrival);
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  session->slot_ = slot;
  session->generation_ = last_generation_ = (last_generation_ + 1) & generation_mask;
  slots_[slot] = session;
  return *session;
}

void SessionTable::destroy(Session& session) noexcept {
  PENSTOCK_ASSERT(slots_[session.slot_] == &session);
  slots_[session.slot_] = nullptr;
  free_.push_back(session.slot_);
  if (session.arrival().listener->site)
    static_.destroy(&static_cast<FileSession&>(session));
  else
    proxied_.destroy(&static_cast<ProxySession&>(session));
}

SessionTable::Found SessionTable::find(std::uint64_t token) const noexcept {
  const auto slot = static_cast<std::uint32_t>(token >> 1);
  const auto generation = static_cast<std::uint32_t>(token >> 33);
  const auto side = static_cast<unsigned>(token & 1);
  if (slot >= slots_.size() || slots_[slot] == nullptr || slots_[slot]->generation_ != generation)
    return {nullptr, side};
  return {slots_[slot], side};
}

}  // namespace penstock::session
