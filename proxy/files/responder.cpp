#include "files/responder.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <optional>
#include <span>

#include "base/assert.hpp"
#include "os/file.hpp"
#include "os/socket.hpp"

namespace penstock::files {

namespace {
constexpr int request_timeout = 408;
}  // namespace

struct Responder::Step {
  std::size_t cost_bytes = 0;
  std::optional<Outcome> outcome{};
};

Outcome Responder::run(int socket, std::size_t budget_bytes, base::Instant now) noexcept try {
  PENSTOCK_ASSERT(budget_bytes > 0);
  PENSTOCK_ASSERT(state_ != State::done);
  std::size_t used = 0;
  while (used < budget_bytes) {
    const Step result = step(socket, budget_bytes - used, now);
    if (result.outcome) return *result.outcome;
    used += result.cost_bytes;
  }
  return Outcome::hungry;
} catch (const std::bad_alloc&) {
  state_ = State::done;
  return Outcome::no_memory;
}

Responder::Step Responder::step(int socket, std::size_t budget_left, base::Instant now) {
  switch (state_) {
    case State::reading: return read_request(socket, now);
    case State::sending_text: return send_text(socket);
    case State::sending_file: return send_file(socket, budget_left);
    case State::lingering: return linger(socket);
    case State::done: break;
  }
  return finish(Outcome::finished);
}

Responder::Step Responder::finish(Outcome outcome) noexcept {
  state_ = State::done;
  return {.outcome = outcome};
}

Responder::Step Responder::socket_failed(const os::IoResult& result) noexcept {
  error_ = result.error;
  return finish(Outcome::socket_failed);
}

Responder::Step Responder::read_request(int socket, base::Instant now) {
  using Progress = wire::HttpRequestParser::Progress;
  switch (parser_.parse({input_.get() + input_begin_, input_end_ - input_begin_})) {
    case Progress::incomplete:
      if (input_begin_ != input_end_) head_began_ = std::min(head_began_, now);
      return receive_more(socket);
    case Progress::bad:
      is_last_ = true;
      answer_.make_status(parser_.status(), is_last_, view_);
      break;
    case Progress::complete: {
      const wire::HttpRequest& request = parser_.request();
      const bool more_came = input_begin_ + request.head_bytes != input_end_;
      is_last_ = !request.keep_alive || request.has_body() || (is_ending_ && !more_came);
      answer_.make(request, is_last_, view_, now);
      input_begin_ += request.head_bytes;
      break;
    }
  }
  begin_answer();
  return {.cost_bytes = request_cost_bytes};
}

void Responder::begin_answer() noexcept {
  parser_.reset();
  head_began_ = base::never;
  ++requests_;
  state_ = State::sending_text;
}

bool Responder::give_up_waiting() noexcept try {
  if (state_ != State::reading || input_begin_ == input_end_) return false;
  is_last_ = true;
  answer_.make_status(request_timeout, is_last_, view_);
  begin_answer();
  return true;
} catch (const std::bad_alloc&) {
  return false;
}

// The parser's views look into the input: after moving it starts again.
void Responder::make_room() {
  if (!input_) input_ = std::make_unique<char[]>(wire::http_head_bytes_max);
  if (input_begin_ == 0) return;
  std::memmove(input_.get(), input_.get() + input_begin_, input_end_ - input_begin_);
  input_end_ -= input_begin_;
  input_begin_ = 0;
  parser_.reset();
}

Responder::Step Responder::receive_more(int socket) {
  make_room();
  // A head that fills the buffer without an end is not incomplete but bad.
  PENSTOCK_ASSERT(input_end_ < wire::http_head_bytes_max);
  const std::span room{input_.get() + input_end_, wire::http_head_bytes_max - input_end_};
  const os::IoResult result = os::receive(socket, std::as_writable_bytes(room));
  switch (result.status) {
    case os::IoStatus::moved:
      input_end_ += result.bytes;
      bytes_received_ += result.bytes;
      return {.cost_bytes = result.bytes};
    case os::IoStatus::end:
      // Every whole request was answered before this read; a head that breaks off asks for nothing.
      return finish(Outcome::finished);
    case os::IoStatus::would_block:
      if (input_end_ == 0) {
        input_.reset();
        answer_.release_memory();
      }
      return {.outcome = Outcome::wait_readable};
    case os::IoStatus::failed: break;
  }
  return socket_failed(result);
}

Responder::Step Responder::send_text(int socket) {
  const auto left = std::as_bytes(std::span{answer_.text_left()});
  const os::IoResult result =
      answer_.has_file_part() ? os::send_more(socket, left) : os::send(socket, left);
  if (result.status == os::IoStatus::would_block) return {.outcome = Outcome::wait_writable};
  if (result.status != os::IoStatus::moved) return socket_failed(result);
  answer_.text_sent(result.bytes);
  bytes_sent_by_copy_ += result.bytes;
  if (answer_.text_left().empty()) {
    if (answer_.has_file_part())
      state_ = State::sending_file;
    else
      after_response(socket);
  }
  return {.cost_bytes = result.bytes};
}

Responder::Step Responder::send_file(int socket, std::size_t budget_left) {
  const std::uint64_t left = answer_.end() - answer_.offset();
  const std::uint64_t bytes = std::min<std::uint64_t>(left, budget_left);
  const os::IoResult result = os::send_file(socket, answer_.file(), answer_.offset(), bytes);
  if (result.status == os::IoStatus::would_block) return {.outcome = Outcome::wait_writable};
  // The file was cut while it was sent, or its disk failed, which no socket calls EIO. Only a
  // broken connection tells the client.
  if (result.status == os::IoStatus::end || result.error == EIO)
    return finish(Outcome::file_failed);
  if (result.status != os::IoStatus::moved) return socket_failed(result);
  bytes_sent_by_sendfile_ += result.bytes;
  if (answer_.offset() == answer_.end()) {
    if (answer_.next_part())
      state_ = State::sending_text;
    else
      after_response(socket);
  }
  return {.cost_bytes = result.bytes};
}

void Responder::after_response(int socket) noexcept {
  answer_.clear();
  state_ = State::reading;
  if (!is_last_) return;
  // The error of a socket that broke meanwhile is met again by the reads that follow.
  static_cast<void>(os::finish_sending(socket));
  input_begin_ = input_end_ = 0;
  state_ = State::lingering;
}

Responder::Step Responder::linger(int socket) {
  make_room();
  const std::span room{input_.get(), wire::http_head_bytes_max};
  const os::IoResult result = os::receive(socket, std::as_writable_bytes(room));
  switch (result.status) {
    case os::IoStatus::moved:
      bytes_received_ += result.bytes;
      bytes_discarded_ += result.bytes;
      if (bytes_discarded_ >= discarded_bytes_max) return finish(Outcome::finished);
      return {.cost_bytes = result.bytes};
    case os::IoStatus::end: return finish(Outcome::finished);
    case os::IoStatus::would_block:
      input_.reset();
      answer_.release_memory();
      return {.outcome = Outcome::wait_readable};
    case os::IoStatus::failed: break;
  }
  return socket_failed(result);
}

}  // namespace penstock::files
