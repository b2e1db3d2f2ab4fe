#pragma once
// All sessions of a forwarder, found by the token that the poller gives back.
//
// Owner    the forwarder. Thread: its own.
// Tokens   a slot and a generation, another one for each session: an event for a session that ended
//          earlier in the same batch finds somebody of another generation, or nobody.
// Limits   2^32 slots; 2^31 sessions before one could be mistaken, in one batch of events.
// Errors   create() throws std::bad_alloc.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory_resource>
#include <vector>

#include "base/slab.hpp"
#include "session/file_session.hpp"
#include "session/proxy_session.hpp"

namespace penstock::files {
class SiteCaches;
}

namespace penstock::session {

class SessionTable {
 public:
  // `sites`: of every listener that serves files.
  SessionTable(std::pmr::memory_resource& memory, files::SiteCaches& sites);
  SessionTable(const SessionTable&) = delete;
  SessionTable& operator=(const SessionTable&) = delete;

  // The session of the kind that the arrival's listener asks for.
  Session& create(const Arrival& arrival);
  void destroy(Session& session) noexcept;

  struct Found {
    Session* session;  // nullptr where it has ended
    unsigned side;
  };
  Found find(std::uint64_t token) const noexcept;

  // By slot, from 0 to slots(); nullptr where nobody stands there.
  Session* at(std::size_t slot) const noexcept { return slots_[slot]; }
  std::size_t slots() const noexcept { return slots_.size(); }

  std::size_t size() const noexcept { return proxied_.live() + static_.live(); }

  // Calls visit(Session&) for each; visit may destroy the one that it is given.
  template <class Visit>
  void for_each(Visit&& visit) {
    for (std::size_t slot = 0; slot < slots_.size(); ++slot)
      if (slots_[slot] != nullptr) visit(*slots_[slot]);
  }

 private:
  static constexpr std::uint32_t generation_mask = 0x7fff'ffff;

  files::SiteCaches& sites_;
  base::Slab<ProxySession> proxied_;
  base::Slab<FileSession> static_;
  std::pmr::deque<Session*> slots_;  // grows without leaving its old half behind
  std::pmr::vector<std::uint32_t> free_;
  std::uint32_t last_generation_ = 0;
};

}  // namespace penstock::session
