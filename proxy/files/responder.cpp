#include "files/responder.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <optional>
#include <span>

#include "base/assert.hpp"
#include "files/http_text.hpp"
#include "os/clock.hpp"
#include "os/file.hpp"
#include "os/socket.hpp"

namespace penstock::files {

namespace {

constexpr int bad_request = 400;
constexpr int method_not_allowed = 405;
constexpr int content_too_large = 413;
constexpr int internal_error = 500;

std::int64_t seconds_now() noexcept {
  return os::wall_clock_nanoseconds() / 1'000'000'000;
}

// Where reading fails, empty; where the file became shorter, what is there.
std::optional<std::string> read_whole(int file, std::size_t size) {
  std::string content(size, '\0');
  std::size_t filled = 0;
  while (filled < size) {
    const auto rest = std::as_writable_bytes(std::span{content}).subspan(filled);
    const os::IoResult result = os::read_at(file, rest, filled);
    if (result.status == os::IoStatus::failed) return std::nullopt;
    if (result.status == os::IoStatus::end) break;
    filled += result.bytes;
  }
  content.resize(filled);
  return content;
}

}  // namespace

struct Responder::Step {
  std::size_t cost_bytes = 0;
  std::optional<Outcome> outcome{};
};

Outcome Responder::run(int socket, std::size_t budget_bytes) noexcept try {
  PENSTOCK_ASSERT(budget_bytes > 0);
  PENSTOCK_ASSERT(state_ != State::done);
  std::size_t used = 0;
  while (used < budget_bytes) {
    const Step result = step(socket, budget_bytes - used);
    if (result.outcome) return *result.outcome;
    used += result.cost_bytes;
  }
  return Outcome::hungry;
} catch (const std::bad_alloc&) {
  state_ = State::done;
  return Outcome::gave_up;
}

Responder::Step Responder::step(int socket, std::size_t budget_left) {
  switch (state_) {
    case State::reading: return read_request(socket);
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

Responder::Step Responder::read_request(int socket) {
  using Progress = wire::HttpRequestParser::Progress;
  switch (parser_.parse({input_.get() + input_begin_, input_end_ - input_begin_})) {
    case Progress::incomplete: return receive_more(socket);
    case Progress::bad:
      is_last_ = true;
      answer_status(parser_.status(), true);
      break;
    case Progress::complete:
      answer(parser_.request());
      input_begin_ += parser_.request().head_bytes;
      break;
  }
  parser_.reset();
  ++requests_;
  text_sent_ = 0;
  state_ = State::sending_text;
  return {.cost_bytes = request_cost_bytes};
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
        std::string{}.swap(text_);
      }
      return {.outcome = Outcome::wait_readable};
    case os::IoStatus::failed: break;
  }
  return finish(Outcome::failed);
}

Responder::Step Responder::send_text(int socket) {
  const auto rest = std::as_bytes(std::span{text_}).subspan(text_sent_);
  const os::IoResult result = file_ ? os::send_more(socket, rest) : os::send(socket, rest);
  if (result.status == os::IoStatus::would_block) return {.outcome = Outcome::wait_writable};
  if (result.status != os::IoStatus::moved) return finish(Outcome::failed);
  text_sent_ += result.bytes;
  bytes_sent_by_copy_ += result.bytes;
  if (text_sent_ == text_.size()) {
    if (file_)
      state_ = State::sending_file;
    else
      after_response(socket);
  }
  return {.cost_bytes = result.bytes};
}

Responder::Step Responder::send_file(int socket, std::size_t budget_left) noexcept {
  const std::uint64_t bytes = std::min<std::uint64_t>(file_end_ - file_offset_, budget_left);
  const os::IoResult result = os::send_file(socket, file_.get(), file_offset_, bytes);
  if (result.status == os::IoStatus::would_block) return {.outcome = Outcome::wait_writable};
  // The file was cut while it was sent. Only a broken connection tells the client.
  if (result.status == os::IoStatus::end) return finish(Outcome::gave_up);
  if (result.status != os::IoStatus::moved) return finish(Outcome::failed);
  bytes_sent_by_sendfile_ += result.bytes;
  if (file_offset_ == file_end_) {
    file_.reset();
    after_response(socket);
  }
  return {.cost_bytes = result.bytes};
}

void Responder::after_response(int socket) noexcept {
  text_.clear();
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
      std::string{}.swap(text_);
      return {.outcome = Outcome::wait_readable};
    case os::IoStatus::failed: break;
  }
  return finish(Outcome::failed);
}

void Responder::answer(const wire::HttpRequest& request) {
  is_http_1_0_ = request.version == wire::HttpRequest::Version::http_1_0;
  const bool is_head = request.method == "HEAD";
  if (!request.keep_alive || request.has_body()) is_last_ = true;
  if (request.has_body()) return answer_status(content_too_large, !is_head);
  if (!is_head && request.method != "GET")
    return answer_status(method_not_allowed, true, "Allow: GET, HEAD\r\n");
  const auto path = wire::percent_decode(request.path);
  if (!path) return answer_status(bad_request, !is_head);
  Found found = site_->find(*path);
  if (found.status == 200) return answer_file(std::move(found), !is_head);
  if (found.location.empty()) return answer_status(found.status, !is_head);
  std::string field = "Location: " + found.location;
  if (request.has_query) field.append("?").append(request.query);
  answer_status(found.status, !is_head, field + "\r\n");
}

void Responder::answer_file(Found found, bool with_body) {
  const std::uint64_t size = found.file_status.size;
  if (with_body && size <= small_file_bytes_max) return answer_small_file(found);
  append_file_head(found, size);
  if (!with_body) return;
  file_ = std::move(found.file);
  file_offset_ = 0;
  file_end_ = size;
}

void Responder::answer_small_file(const Found& found) {
  const auto content = read_whole(found.file.get(), found.file_status.size);
  if (!content) return answer_status(internal_error, true);
  append_file_head(found, content->size());
  text_ += *content;
}

void Responder::answer_status(int status, bool with_body, std::string_view more_fields) {
  std::string body = std::to_string(status) + ' ';
  body.append(reason_phrase(status)).append("\n");
  append_head(status, body.size(), "text/plain; charset=utf-8");
  text_ += more_fields;
  end_head();
  if (with_body) text_ += body;
}

void Responder::append_head(int status, std::uint64_t content_length, std::string_view type) {
  text_ = "HTTP/1.1 " + std::to_string(status) + ' ';
  text_.append(reason_phrase(status)).append("\r\n");
  append_field("Server", "penstock");
  append_field("Date", http_date(seconds_now()));
  append_field("Content-Type", type);
  append_field("Content-Length", std::to_string(content_length));
}

void Responder::append_file_head(const Found& found, std::uint64_t content_length) {
  append_head(200, content_length, found.content_type);
  // RFC 9110, 8.8.2.1: a time stamp from the future is not passed on.
  const std::int64_t modified = std::min(found.file_status.modified_seconds, seconds_now());
  append_field("Last-Modified", http_date(modified));
  append_field("Cache-Control", site_->cache_control());
  end_head();
}

void Responder::append_field(std::string_view name, std::string_view value) {
  text_.append(name).append(": ").append(value).append("\r\n");
}

// HTTP/1.1 keeps a connection unless told otherwise, HTTP/1.0 the other way round.
void Responder::end_head() {
  if (is_last_)
    append_field("Connection", "close");
  else if (is_http_1_0_)
    append_field("Connection", "keep-alive");
  text_ += "\r\n";
}

}  // namespace penstock::files
