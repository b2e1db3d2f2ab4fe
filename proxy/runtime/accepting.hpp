#pragma once
// When an acceptor accepts, pauses and goes on: the decisions, without a system call and without
// Asio, so that they are also tried against a simulated table of descriptors (tests/simulation).
//
// Owner    an Acceptor. Everything that is to be done is asked of its Hands, which outlive this.
// Thread   the acceptor's.
// Batches  up to base::accept_batch_max per wake-up of a socket; then the others have their turn. A
//          forwarder is woken once for a batch.
// Limits   no place (runtime.max_connections), EMFILE, ENFILE, no memory, or every ring full: a
//          pause. Clients wait in the backlog, and what is given back ends the pause, at the latest
//          pause_at_most later. Who pauses wakes nobody by it who waits for the same: it never
//          spins.
//
// A listening socket ends for itself, whatever the others do; closing it resets who is queued:
//
//   state          who knocks      who is queued             next
//   -------------  --------------  ------------------------  -------------------------------------
//   accepting      is let in       is served                 refuse_new()
//   refusing_new   is turned away  is served                 empty(), once handshakes have settled
//   emptying       is turned away  is served, across pauses  by itself, when nobody is queued
//   closed         is turned away  nobody

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

  enum class State : std::uint8_t { accepting, refusing_new, emptying, closed };

  // Listening sockets go by their index.
  class Hands {
   public:
    // Takes the first of the queue and holds it until hand_on() has given it to a forwarder.
    virtual Taken take(std::size_t socket) = 0;
    // False: every ring is full, and it is still held.
    virtual bool hand_on() noexcept = 0;
    // Those who were given somebody since the last call.
    virtual void wake_forwarders() noexcept = 0;
    // Calls arrived() once, as soon as somebody waits there.
    virtual void await(std::size_t socket) = 0;
    // Calls resume() once after that time, in place of one that was asked for before.
    virtual void start_timer(base::Duration time) = 0;
    virtual void stop_timer() noexcept = 0;
    // Nobody new gets into the queue, as far as the kernel can do that.
    virtual void turn_away_newcomers(std::size_t socket) = 0;
    virtual void close(std::size_t socket) = 0;
    // It was closed after empty(), with nobody in its queue.
    virtual void emptied(std::size_t socket) = 0;

   protected:
    ~Hands() = default;
  };

  // `index` is the acceptor's in `admission`.
  Accepting(std::size_t index, std::size_t sockets, Admission& admission, Hands& hands)
      : index_{index}, admission_{admission}, hands_{hands}, sockets_(sockets) {}

  void start();
  void arrived(std::size_t socket);
  // The acceptor's bell rang, or the timer has run out.
  void resume();

  void refuse_new(std::size_t socket);
  void empty(std::size_t socket);
  // As it is, in any state.
  void close(std::size_t socket);
  State state(std::size_t socket) const noexcept { return sockets_[socket].state; }

 private:
  enum class Accepted : std::uint8_t { one, none, paused };
  struct ListeningSocket {
    bool awaited = false;
    State state = State::accepting;
  };

  void await(std::size_t socket);
  void serve(std::size_t socket);
  Accepted accept_one(std::size_t socket);
  void empty_queue(std::size_t socket);
  void pause(Admission::Want want);

  const std::size_t index_;
  Admission& admission_;
  Hands& hands_;
  std::vector<ListeningSocket> sockets_;
  bool paused_ = false;
  bool holds_one_ = false;  // accepted, but every ring was full
};

}  // namespace penstock::runtime
