// The request parser: a head that comes in pieces means what it means in one piece.

#include "wire/http_request.hpp"

#include <fuzzer/FuzzedDataProvider.h>

#include <string>

#include "fuzz/fuzz.hpp"

namespace {

using namespace penstock;
using Progress = wire::HttpRequestParser::Progress;

void within(std::string_view part, std::string_view whole) {
  if (part.empty()) return;
  fuzz::require(
      part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size(),
      "a view looks into the bytes that were given");
}

void same(const wire::HttpRequest& one, const wire::HttpRequest& other) {
  fuzz::require(one.method == other.method && one.path == other.path && one.query == other.query &&
                    one.host == other.host && one.content_length == other.content_length &&
                    one.head_bytes == other.head_bytes && one.keep_alive == other.keep_alive &&
                    one.has_transfer_encoding == other.has_transfer_encoding,
                "pieces and the whole give the same request");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  FuzzedDataProvider provider{data, size};
  const std::uint8_t piece = provider.ConsumeIntegral<std::uint8_t>();
  const std::string text = provider.ConsumeRemainingBytesAsString();
  wire::HttpRequestParser whole;
  const Progress at_once = whole.parse(text);
  wire::HttpRequestParser parts;
  Progress in_pieces = Progress::incomplete;
  for (std::size_t end = 0; in_pieces == Progress::incomplete && end < text.size();) {
    end = std::min(text.size(), end + piece % 32 + 1);
    in_pieces = parts.parse(std::string_view{text}.substr(0, end));
  }
  // A fault may be seen before the head is whole, and then be another one than the first.
  if (!text.empty()) fuzz::require(in_pieces == at_once, "pieces and the whole end alike");
  if (at_once == Progress::bad) fuzz::require(whole.status() >= 400, "a fault has a status");
  if (at_once != Progress::complete) return 0;
  fuzz::require(whole.request().head_bytes <= text.size(), "a head lies within its bytes");
  fuzz::require(whole.request().head_bytes <= wire::http_head_bytes_max, "a head is bounded");
  within(whole.request().method, text);
  // An absolute target without a path means "/".
  if (whole.request().path != "/") within(whole.request().path, text);
  within(whole.request().query, text);
  same(whole.request(), parts.request());
  if (const auto decoded = wire::percent_decode(whole.request().path)) {
    const auto again = wire::percent_decode(wire::percent_encode_path(*decoded));
    fuzz::require(again && *again == *decoded, "a path survives encoding");
  }
  return 0;
}
