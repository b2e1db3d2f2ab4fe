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

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/time.hpp"
#include "files/answer.hpp"
#include "wire/http_request.hpp"

namespace penstock::os {
struct IoResult;
}

namespace penstock::files {

class SiteCache;

// Opening a file takes as long as moving so many bytes: without it a client that pipelines tiny
// requests would hold the forwarder for far longer than its budget says.
inline constexpr std::size_t request_cost_bytes = 16 * 1024;

// After the last answer the rest of what a client sends is read and dropped, up to this: closing
// with unread bytes would send RST, which can overtake the answer.
inline constexpr std::uint64_t discarded_bytes_max = 1 << 20;

// From the first byte of a request to the end of its head: the caller answers 408 then, or sooner.
inline constexpr base::Duration request_head_within = std::chrono::minutes{1};

// Who acts next.
enum class Outcome : std::uint8_t {
  wait_readable,  // the client: call again when the socket is readable
  wait_writable,  // the client, by taking bytes: call again when the socket is writable
  hungry,         // we: the budget is used up; call again after the others
  finished,       // the caller: close normally, everything was handed to the kernel
  socket_failed,  // the caller: reset; error() says why
  file_failed,    // the caller: reset; the file broke off, and the promised length cannot be kept
  no_memory,      // the caller: reset
};

class Responder {
 public:
  // The view outlives the responder.
  explicit Responder(SiteCache& view) noexcept : view_{view} {}
  Responder(const Responder&) = delete;
  Responder& operator=(const Responder&) = delete;

  // Goes on until somebody else must act, or about `budget_bytes` were moved; a request counts
  // request_cost_bytes beside its bytes. The socket is non-blocking, and SIGPIPE is ignored
  // (os::ignore_broken_pipes).
  // REQUIRES: budget_bytes > 0; run() has not told the caller to close or to reset.
  Outcome run(int socket, std::size_t budget_bytes, base::Instant now) noexcept;

  // A request has begun and did not come to its end in time: the next run() answers 408. False:
  // none has begun.
  bool give_up_waiting() noexcept;

  // The next answer whose head is not written yet says that it is the last, unless more requests
  // came with its own: a client that is told so loses none (for a drain). One that is under way did
  // not say it and is not the last.
  void end_with_next_answer() noexcept { is_ending_ = true; }

  // When the head of a request began that has not come to its end; base::never: none has.
  base::Instant head_began() const noexcept { return head_began_; }
  // Of an answer that has begun something is not handed to the kernel.
  bool owes_answer() const noexcept {
    return !answer_.text_left().empty() || answer_.has_file_part();
  }
  // The errno of `socket_failed`.
  int error() const noexcept { return error_; }

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
  Step socket_failed(const os::IoResult& result) noexcept;

  void make_room();
  void begin_answer() noexcept;
  void after_response(int socket) noexcept;

  SiteCache& view_;
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
  base::Instant head_began_ = base::never;
  int error_ = 0;
  State state_ = State::reading;
  bool is_ending_ = false;  // the next answer may be the last
  bool is_last_ = false;    // this one is
};

}  // namespace penstock::files
