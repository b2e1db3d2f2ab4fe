#pragma once
// Which session of a forwarder runs next.
//
//   list      who stands there                          runs
//   --------  ----------------------------------------  -----------------------------------------
//   ready     something came for it                     in every round, before all others
//   bulk      it splices, or has more to do than its    when none of the ready ran in the round,
//             budget allows                             or base::bulk_patience has passed
//   starved   it waits for a held buffer                when there is one, or something came
//
// So an elephant delays no mouse, and a thousand mice do not starve it. Who stands in a list keeps
// its place, whatever else comes for it; but while anybody is starved, who is told of an event goes
// to the end.
//
// Owner    the forwarder. The sessions are its table's; one that ends leaves its list by itself
//          (session::ListHook). Thread: the forwarder's own.
// Memory   none of its own: the lists go through the sessions.
// Round    release_starved() where there is a buffer, begin_round(), next_ready() to its end; and
//          where bulk_is_due(), begin_bulk_turn() and next_bulk() to its end.

#include <boost/intrusive/list.hpp>

#include "base/time.hpp"
#include "session/session.hpp"

namespace penstock::runtime {

class RunQueue {
 public:
  // Something came for it: an event, or the sampler found it asleep.
  void enqueue(session::Session& session) noexcept;
  // It has run, and goes on after the others have had their turn.
  void add_hungry(session::Session& session) noexcept;
  // It has run, and waits for a held buffer.
  void add_starved(session::Session& session) noexcept;
  static bool holds(const session::Session& session) noexcept {
    return session.session::ListHook::is_linked();
  }

  // Nobody could run, were there a buffer or not: whether there is one is worth asking for only
  // where somebody waits for it.
  bool has_work() const noexcept { return !ready_.empty() || !bulk_.empty(); }
  bool has_starved() const noexcept { return !starved_.empty(); }

  void release_starved() noexcept;
  void begin_round() noexcept { small_ran_ = !ready_.empty(); }
  // nullptr: nobody is ready any more.
  session::Session* next_ready() noexcept;
  bool bulk_is_due(base::Instant now) const noexcept;
  // Who becomes hungry again in this turn waits for the next.
  void begin_bulk_turn(base::Instant now) noexcept;
  // nullptr: base::bulk_turn is over, or all have run. Who has not keeps its place.
  session::Session* next_bulk(base::Instant now) noexcept;

 private:
  using List =
      boost::intrusive::list<session::Session, boost::intrusive::base_hook<session::ListHook>,
                             boost::intrusive::constant_time_size<false>>;
  static session::Session* take_first(List& list) noexcept;

  List ready_;
  List bulk_;
  List turn_;  // of bulk, those who still have to run in this turn
  List starved_;
  bool small_ran_ = false;  // in this round
  base::Instant turn_began_{};
  base::Instant bulk_due_{};  // has its turn then, whoever else waits
};

}  // namespace penstock::runtime
