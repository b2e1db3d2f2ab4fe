#pragma once
// One connection of the static file server: requests in, files out.
//
// Owner    whoever owns the connection; the socket stays theirs: run() never closes it.
// Thread   the forwarder's own.
// Memory   nothing but this object while idle; 16 KiB while a request is coming in, and the head of
//          the answer (with the body where that has at most 16 KiB) until it is sent.
// Edges    run() reads until the socket is empty or at FIN before it reports wait_readable, and
//          writes until it is full before wait_writable; the caller may call it at any event.
// Answers  GET and HEAD; other methods 405. A request with a body is answered 413, and the
//          connection ends: nobody sends a body to a file. After a faulty head it ends too.
//          Requests that come at once (pipelining) are answered one after the other.
// Reads    the first read of a file waits for the disk where it is not in the page cache.

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/time.hpp"
#include "files/answer.hpp"
#include "wire/http_request.hpp"

namespace penstock::files {

class SiteView;

// Opening a file takes as long as moving so many bytes: without it a client that pipelines tiny
// requests would hold the forwarder for far longer than its budget says.
inline constexpr std::size_t request_cost_bytes = 16 * 1024;

// After the last answer the rest of what a client sends is read and dropped, up to this: closing
// with unread bytes would send RST, which can overtake the answer.
inline constexpr std::uint64_t discarded_bytes_max = 1 << 20;

// Who acts next.
enum class Outcome : std::uint8_t {
  wait_readable,  // the client: call again when the socket is readable
  wait_writable,  // the client, by taking bytes: call again when the socket is writable
  hungry,         // we: the budget is used up; call again after the others
  finished,       // the caller: close normally, everything was handed to the kernel
  failed,         // the caller: reset; the socket is broken
  gave_up,        // the caller: reset; the promised length cannot be kept, or memory ran out
};

class Responder {
 public:
  // The view outlives the responder.
  explicit Responder(SiteView& view) noexcept : view_{view} {}
  Responder(const Responder&) = delete;
  Responder& operator=(const Responder&) = delete;

  // Goes on until somebody else must act, or about `budget_bytes` were moved; a request counts
  // request_cost_bytes beside its bytes. The socket is non-blocking, and SIGPIPE is ignored
  // (os::ignore_broken_pipes). Out of memory is `gave_up`.
  // REQUIRES: budget_bytes > 0; run() has not returned finished, failed or gave_up.
  Outcome run(int socket, std::size_t budget_bytes, base::Instant now) noexcept;

  // A request has begun and did not come to its end in time: the next run() answers 408. False:
  // none has begun.
  bool give_up_waiting() noexcept;

  // The answer under way, or else the next one, is the last (for a drain).
  void close_after_response() noexcept { is_last_ = true; }

  // Between two requests: closing now cuts nothing off.
  bool is_idle() const noexcept { return state_ == State::reading && input_begin_ == input_end_; }
  // Our FIN is sent; only the client's is awaited.
  bool has_finished_sending() const noexcept { return state_ == State::lingering; }

  std::uint64_t bytes_received() const noexcept { return bytes_received_; }
  std::uint64_t bytes_sent_by_copy() const noexcept { return bytes_sent_by_copy_; }
  std::uint64_t bytes_sent_by_sendfile() const noexcept { return bytes_sent_by_sendfile_; }
  std::uint64_t requests() const noexcept { return requests_; }

 private:
  //   state        next
  //   reading      sending_text (a request is complete, or bad)
  //   sending_text sending_file | reading | lingering
  //   sending_file sending_text | reading | lingering
  //   lingering    done
  enum class State : std::uint8_t { reading, sending_text, sending_file, lingering, done };

  // Each does one step; empty: go on with the state that holds now.
  struct Step;
  Step step(int socket, std::size_t budget_left, base::Instant now);
  Step read_request(int socket, base::Instant now);
  Step receive_more(int socket);
  Step send_text(int socket);
  Step send_file(int socket, std::size_t budget_left);
  Step linger(int socket);
  Step finish(Outcome outcome) noexcept;

  void make_room();
  void begin_answer() noexcept;
  void after_response(int socket) noexcept;

  SiteView& view_;
  wire::HttpRequestParser parser_;
  std::unique_ptr<char[]> input_;  // http_head_bytes_max, or none
  std::size_t input_begin_ = 0;    // of the request that is being read
  std::size_t input_end_ = 0;
  Answer answer_;
  std::uint64_t bytes_received_ = 0;
  std::uint64_t bytes_sent_by_copy_ = 0;
  std::uint64_t bytes_sent_by_sendfile_ = 0;
  std::uint64_t bytes_discarded_ = 0;
  std::uint64_t requests_ = 0;
  State state_ = State::reading;
  bool is_last_ = false;
};

}  // namespace penstock::files
