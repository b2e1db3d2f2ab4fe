#include "files/answer.hpp"

#include <fmt/format.h>

#include <span>

#include "files/content_encoding.hpp"
#include "files/http_text.hpp"
#include "files/preconditions.hpp"
#include "files/site.hpp"
#include "files/site_cache.hpp"
#include "os/clock.hpp"
#include "os/file.hpp"
#include "os/socket.hpp"
#include "wire/http_request.hpp"

namespace penstock::files {

namespace {

constexpr std::string_view plain_text = "text/plain; charset=utf-8";

std::int64_t seconds_now() noexcept {
  return os::wall_clock_nanoseconds() / 1'000'000'000;
}

}  // namespace

struct Answer::Request {
  SiteCache& view;
  bool is_last = true;
  bool is_http_1_0 = false;
  bool is_head = false;
  const wire::HttpRequest* head = nullptr;
};

void Answer::make(const wire::HttpRequest& head, bool is_last, SiteCache& view, base::Instant now) {
  clear();
  const Request request{.view = view,
                        .is_last = is_last,
                        .is_http_1_0 = head.version == wire::HttpRequest::Version::http_1_0,
                        .is_head = head.method == "HEAD",
                        .head = &head};
  if (head.has_body()) return answer_status(request, 413);
  if (!request.is_head && head.method != "GET")
    return answer_status(request, 405, "Allow: GET, HEAD\r\n");
  const auto path = wire::percent_decode(head.path);
  if (!path) return answer_status(request, 400);
  const Found& found = view.cache().find(*path, now);
  if (found.status == 200) return answer_file(request, found);
  if (found.location.empty()) return answer_status(request, found.status);
  std::string field{"Location: "};
  field.append(found.location);
  if (head.has_query) field.append("?").append(head.query);
  answer_status(request, found.status, field.append("\r\n"));
}

void Answer::make_status(int status, bool is_last, SiteCache& view) {
  clear();
  answer_status({.view = view, .is_last = is_last}, status);
}

void Answer::answer_file(const Request& request, const Found& found) {
  const FileHandle file = form_for(found, request.head->accept_encoding);
  const bool has_forms = found.has_forms();
  switch (condition_of(*request.head, file->validators)) {
    case Condition::fails: return answer_status(request, 412);
    case Condition::not_modified: return answer_not_modified(request, file, has_forms);
    case Condition::holds: break;
  }
  if (request.is_head || !range_applies(*request.head, file->validators))
    return answer_whole(request, file, has_forms);
  const std::uint64_t size = file->status.size;
  Ranges ranges = ranges_of(request.head->range, size);
  switch (ranges.answer) {
    case Ranges::Answer::whole: return answer_whole(request, file, has_forms);
    case Ranges::Answer::unsatisfiable:
      return answer_status(request, 416, fmt::format("Content-Range: {}\r\n", content_range(size)));
    case Ranges::Answer::parts: break;
  }
  if (ranges.parts.size() == 1) return answer_part(request, file, ranges.parts.front(), has_forms);
  answer_parts(request, file, std::move(ranges.parts), has_forms);
}

void Answer::answer_whole(const Request& request, const FileHandle& file, bool has_forms) {
  const ByteRange all{.first = 0, .end = file->status.size};
  begin_head(request, 200);
  add_file_fields(request, *file, has_forms);
  add_field("Accept-Ranges", "bytes");
  add_body_fields(*file, file->content_type, all.end);
  end_head(request);
  if (!request.is_head) send_part(file, all);
}

void Answer::answer_part(const Request& request, const FileHandle& file, const ByteRange& part,
                         bool has_forms) {
  begin_head(request, 206);
  add_file_fields(request, *file, has_forms);
  add_field("Content-Range", content_range(part, file->status.size));
  add_body_fields(*file, file->content_type, part.end - part.first);
  end_head(request);
  send_part(file, part);
}

void Answer::answer_parts(const Request& request, const FileHandle& file,
                          std::vector<ByteRange> parts, bool has_forms) {
  file_ = file;
  parts_ = std::move(parts);
  parts_begun_ = 0;
  // Random, so that no content can be made to hold it.
  boundary_ = fmt::format("penstock-{:016x}", os::random_seed());
  std::uint64_t length = head_of_part(parts_.size()).size();
  for (std::size_t i = 0; i < parts_.size(); ++i)
    length += head_of_part(i).size() + parts_[i].end - parts_[i].first;
  begin_head(request, 206);
  add_file_fields(request, *file, has_forms);
  add_body_fields(*file, fmt::format("multipart/byteranges; boundary={}", boundary_), length);
  end_head(request);
  text_ += head_of_part(0);
  part_ = parts_.front();
  parts_begun_ = 1;
}

void Answer::answer_not_modified(const Request& request, const FileHandle& file, bool has_forms) {
  begin_head(request, 304);
  add_file_fields(request, *file, has_forms);
  end_head(request);
}

void Answer::answer_status(const Request& request, int status, std::string_view more_fields) {
  const std::string body = fmt::format("{} {}\n", status, reason_phrase(status));
  begin_head(request, status);
  add_field("Content-Type", plain_text);
  add_field("Content-Length", std::to_string(body.size()));
  text_ += more_fields;
  end_head(request);
  if (!request.is_head) text_ += body;
}

void Answer::begin_head(const Request& request, int status) {
  text_ = "HTTP/1.1 ";
  text_.append(std::to_string(status)).append(" ").append(reason_phrase(status)).append("\r\n");
  add_field("Server", "penstock");
  add_field("Date", request.view.date_text(seconds_now()));
}

void Answer::add_field(std::string_view name, std::string_view value) {
  text_.append(name).append(": ").append(value).append("\r\n");
}

// Those that a 304 has as well (RFC 9110, 15.4.5).
void Answer::add_file_fields(const Request& request, const OpenFile& file, bool has_forms) {
  add_field("ETag", file.validators.etag);
  add_field("Last-Modified", file.last_modified);
  add_field("Cache-Control", request.view.site().cache_control());
  if (has_forms) add_field("Vary", "Accept-Encoding");
}

void Answer::add_body_fields(const OpenFile& file, std::string_view content_type,
                             std::uint64_t length) {
  add_field("Content-Type", content_type);
  if (!file.encoding.empty()) add_field("Content-Encoding", file.encoding);
  add_field("Content-Length", std::to_string(length));
}

// HTTP/1.1 keeps a connection unless told otherwise, HTTP/1.0 the other way round.
void Answer::end_head(const Request& request) {
  if (request.is_last)
    add_field("Connection", "close");
  else if (request.is_http_1_0)
    add_field("Connection", "keep-alive");
  text_ += "\r\n";
}

bool Answer::add_content(const OpenFile& file, const ByteRange& part) {
  const std::size_t begin = text_.size();
  text_.resize(begin + part.end - part.first);
  const auto room = std::as_writable_bytes(std::span{text_}).subspan(begin);
  std::size_t filled = 0;
  while (filled < room.size()) {
    const os::IoResult result =
        os::read_at(file.file.get(), room.subspan(filled), part.first + filled);
    if (result.status != os::IoStatus::moved) break;
    filled += result.bytes;
  }
  if (filled == room.size()) return true;
  text_.resize(begin);
  return false;
}

// What is short goes with its head. Where it cannot be read, because the file is shorter by now,
// sendfile will find that out, too, and the connection ends: the length is promised.
void Answer::send_part(const FileHandle& file, const ByteRange& part) {
  if (part.end - part.first <= small_file_bytes_max && add_content(*file, part)) return;
  file_ = file;
  part_ = part;
}

// That behind the last one ends the message (RFC 2046, 5.1.1).
std::string Answer::head_of_part(std::size_t number) const {
  if (number == parts_.size()) return fmt::format("\r\n--{}--\r\n", boundary_);
  return fmt::format("{}--{}\r\nContent-Type: {}\r\nContent-Range: {}\r\n\r\n",
                     number == 0 ? "" : "\r\n", boundary_, file_->content_type,
                     content_range(parts_[number], file_->status.size));
}

bool Answer::next_part() {
  if (parts_.empty()) {
    file_.reset();
    return false;
  }
  text_ = head_of_part(parts_begun_);
  text_sent_ = 0;
  if (parts_begun_ < parts_.size()) {
    part_ = parts_[parts_begun_++];
  } else {
    file_.reset();
    parts_.clear();
  }
  return true;
}

void Answer::clear() noexcept {
  text_.clear();
  text_sent_ = 0;
  file_.reset();
  parts_.clear();
}

void Answer::release_memory() noexcept {
  clear();
  std::string{}.swap(text_);
  std::vector<ByteRange>{}.swap(parts_);
}

}  // namespace penstock::files
