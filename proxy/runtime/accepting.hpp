#pragma once
// When an acceptor accepts, pauses and goes on: the decisions, without a system call and without
// Asio, so that they are also tried against a simulated table of descriptors (tests/simulation).
//
// Owner    an Acceptor. Everything that is to be done is asked of its Hands, which outlive this.
// Thread   the acceptor's.
// Batches  up to base::accept_batch_max per wake-up of a door; then the others have their turn. A
//          forwarder is woken once for a batch.
// Limits   no place (runtime.max_connections), EMFILE, ENFILE, no memory, or every ring full: a
//          pause. Clients wait in the backlog, and what is given back ends the pause, at the latest
//          pause_at_most later. Who pauses wakes nobody by it who waits for the same: it never
//          spins.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/time.hpp"
#include "runtime/admission.hpp"

namespace penstock::runtime {

class Accepting {
 public:
  // A shortage may also end outside of this process, where nobody rings for us.
  static constexpr base::Duration pause_at_most = std::chrono::milliseconds{100};

  enum class Taken : std::uint8_t { one, nobody, shortage };

  // A door is a listening socket, by its index.
  class Hands {
   public:
    // Takes the first of the queue and holds it until hand_on() has given it to a forwarder.
    virtual Taken take(std::size_t door) = 0;
    // False: every ring is full, and it is still held.
    virtual bool hand_on() noexcept = 0;
    // Those who were given somebody since the last call.
    virtual void wake_forwarders() noexcept = 0;
    // Calls arrived() once, as soon as somebody waits there.
    virtual void await(std::size_t door) = 0;
    // Calls resume() once after that time, in place of one that was asked for before.
    virtual void start_timer(base::Duration time) = 0;
    virtual void stop_timer() noexcept = 0;
    // Nobody new gets into the queue, as far as the kernel can do that.
    virtual void turn_away_newcomers(std::size_t door) = 0;
    virtual void close(std::size_t door) = 0;
    // The queues of all doors that stop are empty, and they are closed.
    virtual void emptied() = 0;

   protected:
    ~Hands() = default;
  };

  // `index` is the acceptor's in `admission`.
  Accepting(std::size_t index, std::size_t doors, Admission& admission, Hands& hands)
      : index_{index}, admission_{admission}, hands_{hands}, doors_(doors) {}

  void start();
  void arrived(std::size_t door);
  // The acceptor's bell rang, or the timer has run out.
  void resume();

  // A door is stopped first, and empty_queues() serves who is still in the queues, across pauses
  // where it has to: closing a listener resets whoever is queued.
  void stop(std::size_t door);
  void empty_queues();
  // As it is.
  void close(std::size_t door);

 private:
  enum class Accepted : std::uint8_t { one, none, paused };
  struct Door {
    bool awaited = false;
    bool stopping = false;
    bool closed = false;
  };

  void await(std::size_t door);
  void serve(std::size_t door);
  Accepted accept_one(std::size_t door);
  void pause(Admission::Want want);

  const std::size_t index_;
  Admission& admission_;
  Hands& hands_;
  std::vector<Door> doors_;
  bool paused_ = false;
  bool holds_one_ = false;  // accepted, but every ring was full
  bool emptying_ = false;
};

}  // namespace penstock::runtime
