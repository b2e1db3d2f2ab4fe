#pragma once
// The status line of one HTTP/1.0 or 1.1 answer: all of an answer that a health check looks at.
// Source: RFC 9112, section 4.
//
// Pure and incremental: no I/O, no memory, the same answer however the bytes were cut. Lenient
// where servers are: the reason and the space before it may be missing, the line may end with a
// bare LF. What is no HTTP is seen at its first wrong byte: an endpoint that speaks another
// protocol is not waited for.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace penstock::wire {

inline constexpr std::size_t http_status_line_bytes_max = 4096;  // with its LF

struct HttpStatusLine {
  enum class Progress : std::uint8_t {
    incomplete,  // call again with more bytes
    complete,    // `status` holds
    bad,         // this is no HTTP/1 answer
  };
  Progress progress = Progress::incomplete;
  int status = 0;  // 100 to 999
  bool operator==(const HttpStatusLine&) const = default;
};

// `bytes`: all that came since the first byte of the answer.
HttpStatusLine parse_http_status(std::string_view bytes) noexcept;

}  // namespace penstock::wire
