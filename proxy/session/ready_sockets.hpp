#pragma once
// Sockets that are connected before somebody needs them: `connect.ready` of an upstream, so many at
// each endpoint to which a connection of this forwarder went.
//
//   a socket                                 what becomes of it
//   ---------------------------------------- ---------------------------------------------------
//   that stands, the oldest first            goes to the next connection there; another one is
//                                            dialled at the end of the next round: the first bytes
//                                            of the connection, if they came no sooner, go first
//   that the endpoint closed or refused, or  closed; another one is dialled after a pause
//   that does not answer in connect.timeout
//   on which bytes came                      closed: the server speaks first, and nobody listens
//                                            yet. LiveRecord::speaks_first leaves the endpoint out
//                                            from then on, and control says so
//   that is ten seconds old                  closed, another one dialled, renewed_at_once of them
//                                            in a look: its host may have gone, and servers do not
//                                            wait for a first word for ever
//   of an endpoint that is not up, or to     closed
//   which new connections do not go first,
//   or that is short of places
//
// Until an endpoint was looked at twice it gets one socket alone, for one is enough to hear whether
// it speaks first.
//
// Owner    the forwarder, in its Context. Thread: its own. Not on a ring, which tells only who asks
//          that bytes came.
// Limits   kept_max in all, for those endpoints that were met first. Each socket has a place at its
//          endpoint, as a connection has: Upstream::take_spare.
// Looks    once a second, before the forwarder answers control's ping: so the record of an endpoint
//          that left is never pointed at once it may be freed. What is seen there is closed within
//          a second; what was taken is looked at in that moment, too.
// Errors   what fails here counts as no failure of the endpoint; whoever connects sees for himself.

#include <cstddef>
#include <unordered_map>
#include <vector>

#include "base/time.hpp"
#include "os/fd.hpp"
#include "os/poller.hpp"
#include "session/listener.hpp"
#include "upstream/lease.hpp"

namespace penstock::session {

class ReadySockets {
 public:
  static constexpr std::size_t kept_max = 1024;
  static constexpr std::size_t renewed_at_once = 64;

  ReadySockets() = default;
  ReadySockets(const ReadySockets&) = delete;
  ReadySockets& operator=(const ReadySockets&) = delete;

  struct Taken {
    os::Fd socket;  // none: somebody has to dial
    os::Readiness client{};
  };
  // For a connection of `listener`, which has a place at the endpoint; `client` is its socket.
  Taken take(const Listener& listener, upstream::LiveRecord& endpoint, int client,
             base::Instant now) noexcept;
  // At the end of a round: dials where some were taken in the one before.
  void replace(base::Instant now) noexcept;
  // Gives back all places at an upstream that is full. False where there were none.
  bool make_room(const upstream::Upstream& upstream) noexcept;
  // Once a second.
  void look(base::Instant now) noexcept;
  // Closes all, and keeps none from now on.
  void end() noexcept;

 private:
  struct Kept {
    os::Fd socket;
    upstream::SpareLease lease;
    base::Instant dialled{};
  };
  // Of one endpoint.
  struct Shelf {
    const Listener* listener;  // whose socket options they have
    upstream::LiveRecord* endpoint;
    std::vector<Kept> kept{};  // the room for all of them is reserved
    unsigned looks = 0;
    bool was_taken_from = false;  // since it was dialled for
    base::Instant dial_after{};
    base::Duration last_pause{0};
  };

  Shelf* shelf_for(const Listener& listener, upstream::LiveRecord& endpoint) noexcept;
  static bool is_over(const Shelf& shelf, const Kept& kept, os::Readiness ready,
                      base::Instant now) noexcept;
  static void drop_those_that_ended(Shelf& shelf, base::Instant now) noexcept;
  static void drop_the_old(Shelf& shelf, std::size_t& most, base::Instant now) noexcept;
  static void pause(Shelf& shelf, base::Instant now) noexcept;
  static void dial(Shelf& shelf, base::Instant now) noexcept;

  std::unordered_map<const upstream::LiveRecord*, Shelf> shelves_;
  // Those that were taken from in this round, and in the one before; as many as there are shelves
  // are reserved.
  std::vector<Shelf*> taken_from_;
  std::vector<Shelf*> due_;
  std::size_t reserved_ = 0;  // sockets, by all shelves
  bool has_ended_ = false;
};

}  // namespace penstock::session
