#pragma once
// What goes out for one request: a head, and then a text or parts of a file.
//
//   text -> done                                 a status, a small file, HEAD, 304
//   text -> file -> done                         a file, or one part of it
//   text -> file -> text -> file -> text -> done several parts (multipart/byteranges)
//
// Owner    a Responder. Thread: its own.
// Errors   make() throws std::bad_alloc. Where the file cannot be read it is a 500.
// Source   RFC 9110, 9112.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "files/open_file.hpp"
#include "files/ranges.hpp"

namespace penstock::wire {
struct HttpRequest;
}

namespace penstock::files {

class SiteCache;

// A file, or a part, of at most this size goes out in one send() with its head; larger ones by
// sendfile.
inline constexpr std::size_t small_file_bytes_max = 16 * 1024;

class Answer {
 public:
  // The connection ends with it where `is_last`.
  void make(const wire::HttpRequest& request, bool is_last, SiteCache& view, base::Instant now);
  // A text that says the status and nothing else.
  void make_status(int status, bool is_last, SiteCache& view);

  // --- sending ---
  std::string_view text_left() const noexcept { return std::string_view{text_}.substr(text_sent_); }
  void text_sent(std::size_t bytes) noexcept { text_sent_ += bytes; }
  // Behind the text comes a part of a file, from `offset` to `end`.
  bool has_file_part() const noexcept { return file_.get() != nullptr; }
  int file() const noexcept { return file_->file.get(); }
  std::uint64_t& offset() noexcept { return part_.first; }
  std::uint64_t end() const noexcept { return part_.end; }
  // That part is sent. True: text_left() has more. Throws std::bad_alloc.
  bool next_part();
  // Lets go of file and memory.
  void clear() noexcept;
  void release_memory() noexcept;

 private:
  struct Request;  // what the head depends on
  void answer_file(const Request& request, const Found& found);
  void answer_whole(const Request& request, const FileHandle& file, bool has_forms);
  void answer_part(const Request& request, const FileHandle& file, const ByteRange& part,
                   bool has_forms);
  void answer_parts(const Request& request, const FileHandle& file, std::vector<ByteRange> parts,
                    bool has_forms);
  void answer_not_modified(const Request& request, const FileHandle& file, bool has_forms);
  void answer_status(const Request& request, int status, std::string_view more_fields = {});

  void begin_head(const Request& request, int status);
  void add_field(std::string_view name, std::string_view value);
  void add_file_fields(const Request& request, const OpenFile& file, bool has_forms);
  void add_body_fields(const OpenFile& file, std::string_view content_type, std::uint64_t length);
  void end_head(const Request& request);
  // Appends the bytes to the text; false where they are not (all) there.
  bool add_content(const OpenFile& file, const ByteRange& part);
  void send_part(const FileHandle& file, const ByteRange& part);
  std::string head_of_part(std::size_t number) const;

  std::string text_;
  std::size_t text_sent_ = 0;
  FileHandle file_;
  ByteRange part_;
  std::vector<ByteRange> parts_;  // of several; empty for one
  std::size_t parts_begun_ = 0;
  std::string boundary_;
};

}  // namespace penstock::files
