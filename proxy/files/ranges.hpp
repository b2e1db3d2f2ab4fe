#pragma once
// The parts of a file that a request asks for. Pure.
//
// Limits   base::file_ranges_max parts, and together no more bytes than the file has: beyond that
//          the whole file is the better answer, and an attack with many overlapping parts costs
//          nothing.
// Source   RFC 9110, 14.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::files {

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t end = 0;  // one behind the last
  bool operator==(const ByteRange&) const = default;
};

struct Ranges {
  enum class Answer : std::uint8_t {
    whole,         // 200: what was asked for is not understood, or too much
    parts,         // 206: `parts`, in the order in which they were asked for
    unsatisfiable  // 416: nothing of it lies within the file
  };
  Answer answer = Answer::whole;
  std::vector<ByteRange> parts{};
};

// `value` of the Range field; empty means `whole`.
Ranges ranges_of(std::string_view value, std::uint64_t size);

// "bytes 0-99/1234"
std::string content_range(const ByteRange& range, std::uint64_t size);
// "bytes */1234", of a 416.
std::string content_range(std::uint64_t size);

}  // namespace penstock::files
