#pragma once
// The head of one HTTP/1.0 or 1.1 request: request line and header fields up to the empty line.
// Source: RFC 9112 (HTTP/1.1), RFC 9110 (fields), RFC 3986 (percent-encoding).
//
// Pure and incremental: no I/O, no memory of its own, the same answer however the bytes were cut.
//
// What RFC 9112 leaves to the recipient is decided for the strict side, because two readers that
// disagree about where a request ends can be played against each other (request smuggling):
//   - Lines end with CR LF. A bare LF and a bare CR are faults. One empty line before a request is
//     skipped.
//   - No continuation lines, no white space before a colon, no control characters in a value.
//   - Content-Length: digits only, no list; repeated only with the same value; never together with
//     Transfer-Encoding.
//   - Transfer-Encoding: `chunked` alone, once, in HTTP/1.1 only. Others are 501.
//   - Host: exactly one in HTTP/1.1, at most one in 1.0.
// The head only says that a body follows; it does not read one.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::wire {

inline constexpr std::size_t http_head_bytes_max = 16 * 1024;         // beyond: 431
inline constexpr std::size_t http_request_line_bytes_max = 8 * 1024;  // with CR LF; beyond: 414
inline constexpr std::size_t http_method_bytes_max = 32;              // beyond: 501
inline constexpr int http_fields_max = 100;                           // beyond: 431

static_assert(http_request_line_bytes_max < http_head_bytes_max, "the line is a part of the head");

// The views look into the bytes that were parsed.
struct HttpRequest {
  enum class Version : std::uint8_t { http_1_0, http_1_1 };  // 1.2 and above are read as 1.1

  std::string_view method;  // case-sensitive; any token
  std::string_view path;    // as sent, not decoded; starts with '/', or is "*"
  std::string_view query;   // as sent, without the '?'
  std::string_view host;    // of the target where that is absolute, else of the Host field
  // Values of fields that only ask for less or for another form; empty where a field did not come,
  // or came twice: then it counts for nothing, which is always an answer that the client can use.
  std::string_view if_match;
  std::string_view if_none_match;
  std::string_view if_modified_since;
  std::string_view if_unmodified_since;
  std::string_view range;
  std::string_view if_range;
  std::string_view accept_encoding;
  std::uint64_t content_length = 0;
  std::size_t head_bytes = 0;  // what comes after belongs to the body or the next request
  Version version = Version::http_1_0;
  bool has_query = false;
  bool has_transfer_encoding = false;
  bool keep_alive = false;  // what the client allows

  bool has_body() const noexcept { return has_transfer_encoding || content_length > 0; }
};

class HttpRequestParser {
 public:
  enum class Progress : std::uint8_t {
    incomplete,  // call again with more bytes
    complete,    // request() holds
    bad,         // status() says what to answer; where the next request starts cannot be known
  };

  // `bytes`: all that came since the first byte of this request; each call gives the same bytes, at
  // the same place, and maybe more behind them. What follows the head is not looked at.
  Progress parse(std::string_view bytes) noexcept;

  const HttpRequest& request() const noexcept { return request_; }

  // 400, 414, 431, 501 or 505.
  int status() const noexcept { return status_; }

  // For the next request, or after the bytes were moved.
  void reset() noexcept { *this = HttpRequestParser{}; }

 private:
  Progress fail(int status) noexcept;
  Progress wait_for_more(std::string_view bytes) noexcept;
  bool first_byte_is_wrong(std::string_view bytes) const noexcept;

  // These return the status of a fault, or 0.
  int take_line(std::string_view line, bool& is_end) noexcept;
  int take_request_line(std::string_view line) noexcept;
  int take_version(std::string_view text) noexcept;
  int take_target(std::string_view target) noexcept;
  int take_field(std::string_view line) noexcept;
  int take_known_field(std::string_view name, std::string_view value) noexcept;
  int take_content_length(std::string_view value) noexcept;
  int take_transfer_encoding(std::string_view value) noexcept;
  int take_host(std::string_view value) noexcept;
  void take_connection(std::string_view value) noexcept;
  void take_wish(std::string_view name, std::string_view value) noexcept;
  int finish() noexcept;

  HttpRequest request_;
  std::size_t line_begin_ = 0;
  std::size_t scanned_ = 0;  // no LF between line_begin_ and here
  int status_ = 0;
  int fields_ = 0;
  unsigned wishes_ = 0;  // a bit for each that came
  Progress progress_ = Progress::incomplete;
  bool skipped_empty_line_ = false;
  bool has_request_line_ = false;
  bool has_content_length_ = false;
  bool has_host_ = false;
  bool target_has_host_ = false;
  bool wants_close_ = false;
  bool wants_keep_alive_ = false;
};

// Resolves %XX once. Empty where an escape is broken or a NUL comes out. '+' stays '+'.
std::optional<std::string> percent_decode(std::string_view text);

// The other way, for a path: letters, digits and -._~/ stay, everything else becomes %XX.
std::string percent_encode_path(std::string_view path);

}  // namespace penstock::wire
