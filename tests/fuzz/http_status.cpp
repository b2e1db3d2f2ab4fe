// The status line parser: an answer that comes in pieces means what it means in one piece.

#include "wire/http_status.hpp"

#include <string_view>

#include "fuzz/fuzz.hpp"

using namespace penstock;
using Progress = wire::HttpStatusLine::Progress;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  const wire::HttpStatusLine whole = wire::parse_http_status(text);
  if (whole.progress == Progress::complete)
    fuzz::require(whole.status >= 100 && whole.status <= 999, "a status has three digits");
  if (whole.progress == Progress::incomplete)
    fuzz::require(size < wire::http_status_line_bytes_max, "a line is not waited for without end");
  for (std::size_t end = 0; end < size && end <= wire::http_status_line_bytes_max; ++end) {
    const wire::HttpStatusLine part = wire::parse_http_status(text.substr(0, end));
    fuzz::require(part.progress == Progress::incomplete || part == whole,
                  "what was decided once stays");
  }
  return 0;
}
