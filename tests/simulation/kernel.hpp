#pragma once
// A simulated kernel: sockets, pipes, edge-triggered polling and the clock, with the rules that the
// real one was seen to follow (docs/RELAY.md; tests/kernel shows them on the real one).
//
//   sockets   recv stops at an urgent mark and continues behind it; splice stops there for ever,
//             with 0 where FIN is queued and EAGAIN where it is not. What was queued before a reset
//             is still read, then the error comes once, and from then on reads give 0.
//   pipes     fill by slots, one per fragment; EAGAIN stands for a full pipe as for an empty
//   socket. polling   a wake-up puts a socket on the ready list; the wait reports its whole state,
//   once.
//             Writability wakes only who met a full socket, and when a third of it is free.
//   zerocopy  sends are looked at again when the peer takes them: memory that changed meanwhile
//             would have been sent changed. Pages that were dropped stay as they were.
//   ring      what was asked for is done in the wait, as IORING_SETUP_DEFER_TASKRUN has it; closing
//             too. Nobody reads a socket by call while the ring reads it.
//   accept    wants a descriptor first: where none is left it says so of an empty queue, too.
//   connect   fails at once where this host cannot go there, or a unix endpoint's queue is full.
//   random    partial splices and sends, spurious events, and everything that may fail.
//
// The other end of a socket is no socket: the Outside acts between calls and judges what comes out.
//
// Thread   the forwarder's; main only starts it and waits.

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "os/pipe.hpp"
#include "os/poller.hpp"
#include "os/socket.hpp"
#include "os/tcp_info.hpp"
#include "os/zerocopy.hpp"
#include "simulation/random.hpp"

namespace penstock::simulation {

class Outside;

struct Socket {
  enum class State : std::uint8_t { connecting, established, dead };

  int connection = -1;  // of the world; -1 until it is known
  int descriptor = -1;
  unsigned side = 0;
  State state = State::connecting;
  int error = 0;  // pending, for whoever asks first
  bool closed = false;
  bool fin_received = false;
  bool fin_sent = false;
  bool reset_on_close = false;
  bool reaches_itself = false;
  bool was_ready = false;     // it was dialled before a connection came that it could serve
  bool end_was_told = false;  // its FIN or reset, by an event or a look
  std::size_t endpoint = 0;   // to which it leads
  bool asked = false;         // connect_result() said that it stands
  base::Instant asked_at{};   // and when
  base::Instant stood{};      // since when
  base::Instant begun{};      // when the loop woke up that began the connect
  bool peer_answers = true;   // its kernel is alive, whether or not it reads
  base::Instant silent_since{};

  // Bytes towards us, and how they were cut into fragments. What is read is arrived - unread.
  std::uint64_t arrived = 0;
  std::uint64_t read = 0;
  std::uint64_t announced = 0;  // had arrived when an event said so last
  std::deque<std::uint32_t> fragments;
  std::optional<std::uint64_t> mark;  // offset of the urgent byte
  std::uint64_t receive_capacity = 0;

  // Bytes towards the peer.
  std::uint64_t sent = 0;
  std::uint64_t taken = 0;
  std::uint64_t send_capacity = 0;
  bool met_full = false;  // SOCK_NOSPACE
  unsigned writes = 0;
  bool no_delay = false;  // as the proxy has set it; who was accepted has it from the listener

  // Sends without a copy whose bytes the peer has not taken.
  struct Loan {
    std::uint32_t number;
    std::span<const std::byte> memory;
    std::uint64_t offset;  // of its first byte in the stream
    bool dropped;          // the kernel has the pages for itself
  };
  std::deque<Loan> loans;
  std::deque<os::ZerocopyNotice> notices;
  std::uint32_t next_send = 0;
  bool may_zerocopy = false;

  enum class Asked : std::uint8_t { nothing, bytes, readiness };
  Asked asked_of_ring = Asked::nothing;
  bool cancelled = false;
  bool reads_are_asked_for = false;

  bool registered = false;
  bool on_ready_list = false;
  std::uint64_t token = 0;

  std::uint64_t unread() const noexcept { return arrived - read; }
  std::uint64_t room() const noexcept { return send_capacity - (sent - taken); }
};

class Kernel {
 public:
  struct Conditions {
    std::uint64_t one_in = 0;            // a call that may fail does so; 0 = never
    std::uint64_t short_in = 8;          // a splice or send moves less than it could
    bool small_pipes = false;            // as beyond pipe-user-pages-soft
    bool crowd = false;                  // every socket is announced at every wait
    std::uint64_t lost_in = 0;           // one edge in so many is lost; no kernel does that
    std::uint64_t buffer_max = 1 << 18;  // of a socket, in each direction
    std::size_t descriptors_max = 0;     // open at a time, where accept() looks; 0 = no limit
    bool calls_take_time = true;
  };

  Kernel(Random& random, Outside& world, base::Instant start) noexcept
      : now_{start}, random_{random}, world_{world}, woke_at_{start}, round_began_{start} {}

  // Every call and every turn of the world, one line each, on stderr. For a seed that failed.
  static void set_trace(bool on) noexcept { trace_ = on; }
  static void trace(const char* what, int number, std::int64_t result) noexcept;

  // The one that os/ talks to; set for the length of a run.
  static Kernel& current() noexcept { return *current_; }
  static void set_current(Kernel* kernel) noexcept { current_ = kernel; }

  Conditions& conditions() noexcept { return conditions_; }
  Random& random() noexcept { return random_; }
  std::uint64_t steps() const noexcept { return steps_; }
  std::uint64_t long_rounds() const noexcept { return long_rounds_; }
  std::size_t open_sockets() const noexcept;
  std::size_t open_descriptors() const noexcept;

  base::Instant now() const noexcept { return now_; }
  base::Instant round_began() const noexcept { return round_began_; }  // as the loop knows it
  void pass(base::Duration time) noexcept { now_ += time; }

  // What the world does to a socket, from outside.
  std::shared_ptr<Socket> make_socket();
  int new_socket(const std::shared_ptr<Socket>& socket);
  void wake(Socket& socket) noexcept;  // state changed: onto the ready list
  void arrive(Socket& socket, std::uint32_t bytes, bool urgent);
  void take(Socket& socket, std::uint64_t bytes) noexcept;
  void reset(Socket& socket, int error) noexcept;

  // The calls of os/.
  base::Instant read_clock() noexcept;
  base::Result<os::Fd> accept(std::deque<std::shared_ptr<Socket>>& queue) noexcept;
  base::Result<os::Fd> connect_to(const os::SocketAddress& endpoint) noexcept;
  int connect_result(int socket, os::ConnectDoubts doubts) noexcept;
  os::IoResult receive(int socket, std::span<std::byte> into) noexcept;
  os::IoResult send(int socket, std::span<const std::byte> bytes) noexcept;
  os::IoResult splice_in(int socket, int pipe, std::size_t bytes_max) noexcept;
  os::IoResult splice_out(int pipe, int socket, std::size_t bytes_max) noexcept;
  os::IoResult read_pipe(int pipe, std::span<std::byte> into) noexcept;
  base::Result<os::Pipe> open_pipe(std::size_t bytes) noexcept;
  void resize_pipe(os::Pipe& pipe, std::size_t bytes) noexcept;
  base::ErrorCode finish_sending(int socket) noexcept;
  void reset_on_close(int socket) noexcept;
  void close(int descriptor) noexcept;
  int take_error(int socket) noexcept;
  void send_at_once(int socket) noexcept;
  std::size_t unacknowledged(int socket) noexcept;
  std::size_t unread(int socket) noexcept;
  std::optional<os::TcpInfo> tcp_info(int socket) noexcept;
  int new_other() { return place({Kind::other, nullptr, nullptr}); }  // epoll, eventfd
  bool& notified(int eventfd) noexcept {
    return table_[static_cast<std::size_t>(eventfd)].notified;
  }
  bool has_free_descriptor() const noexcept;
  base::ErrorCode add(int socket, std::uint64_t token, bool reads_are_asked_for) noexcept;

  // files.cpp
  static std::byte content_of_file(unsigned file, std::uint64_t offset) noexcept;
  std::array<std::uint64_t, 8>& file_bytes() noexcept { return file_bytes_; }
  base::Result<os::Fd> open_file(const std::string& name) noexcept;
  std::optional<unsigned> file_at(int descriptor) const noexcept;  // none: no file
  os::IoResult read_at(int file, std::span<std::byte> into, std::uint64_t offset) noexcept;

  // zerocopy.cpp
  base::ErrorCode allow_zerocopy(int socket) noexcept;
  os::IoResult send_zerocopy(int socket, std::span<const std::byte> bytes) noexcept;
  std::optional<os::ZerocopyNotice> take_notice(int socket) noexcept;
  void drop_pages(std::span<const std::byte> pages) noexcept;

  // ring.cpp
  bool make_ring();
  void ask(int socket, Socket::Asked what) noexcept;
  void cancel(int socket) noexcept;
  void close_in_order(int descriptor);
  std::span<const std::byte> buffer(std::uint16_t index) const noexcept;
  void give_back(std::uint16_t index) noexcept;
  std::array<os::Readiness, 2> ready_now(std::array<int, 2> sockets) noexcept;
  std::size_t wait(base::Duration timeout, std::span<os::Event> events) noexcept;
  void wake_waiter() noexcept { woken_ = true; }

 private:
  enum class Kind : std::uint8_t { vacant, socket, pipe, other };
  struct Slot {
    int connection;
    unsigned side;
    std::uint64_t offset;
    std::uint32_t bytes;
  };
  struct PipeBuffer {
    std::size_t slots;
    std::deque<Slot> filled;
  };
  struct Descriptor {
    Kind kind = Kind::vacant;
    std::shared_ptr<Socket> socket;
    std::shared_ptr<PipeBuffer> pipe;
    std::optional<unsigned> file{};
    bool notified = false;  // of an eventfd
  };

  void nobody_is_delayed() const noexcept;
  void enter() noexcept;  // every call: time passes, the world may act
  bool fails() noexcept { return random_.one_in(conditions_.one_in); }
  int place(Descriptor descriptor);
  Socket& socket(int descriptor) noexcept;
  PipeBuffer& pipe(int descriptor) noexcept;
  std::uint64_t before_mark(const Socket& socket, bool splicing) const noexcept;
  os::IoResult refused_splice() noexcept;
  os::IoResult nothing_to_read(Socket& socket) noexcept;
  std::optional<os::IoResult> cannot_send(Socket& socket) noexcept;
  void consume(Socket& socket, std::uint64_t bytes) noexcept;
  std::optional<os::Readiness> state_of(Socket& socket) noexcept;
  bool loses_edge(const Socket& socket) noexcept;
  bool idle_until(base::Instant deadline) noexcept;
  std::size_t collect(std::span<os::Event> events) noexcept;
  void wake_somebody_for_nothing() noexcept;
  void check_loans(Socket& socket, bool all) noexcept;
  void close_what_was_asked() noexcept;
  std::size_t answer_asked(std::span<os::Event> events) noexcept;
  bool answer(Socket& socket, os::Event& event) noexcept;
  void nobody_else_reads(const Socket& socket) const noexcept;
  std::size_t leave_wait(std::size_t events, bool slept) noexcept;

  static inline Kernel* current_ = nullptr;
  static inline bool trace_ = false;
  base::Instant now_;
  Random& random_;
  Outside& world_;
  Conditions conditions_;
  std::vector<Descriptor> table_;
  std::deque<int> ready_;
  std::vector<std::byte> buffers_;  // of the ring; empty: the loop is epoll
  std::deque<std::uint16_t> free_buffers_;
  std::vector<int> to_close_;
  std::size_t next_answer_ = 0;                   // a descriptor
  std::vector<std::shared_ptr<Socket>> lenders_;  // closed ones, too
  std::array<std::uint64_t, 8> file_bytes_{};
  bool woken_ = false;
  base::Instant woke_at_{};
  base::Instant round_began_{};  // the clock was read for the first time since
  bool just_woke_ = false;
  std::uint64_t steps_ = 0;
  std::uint64_t progress_ = 0;  // anything that changed anything
  std::uint64_t progress_at_wait_ = 0;
  unsigned fruitless_waits_ = 0;
  std::uint64_t long_rounds_ = 0;  // from one wait to the next
};

}  // namespace penstock::simulation
