#pragma once
// Lines on their way to a target that may take any part of them: a disk fills up in the middle of a
// line. The rest of a line that was begun goes out before anything else, or two lines would be read
// as one; lines that were not begun are given up.
//
// Thread   one. Owner: a log's target.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::logging {

class LineBatch {
 public:
  // `line` bears its newline.
  void add(std::string_view line);
  // The target holds half a line that nobody will finish: it is ended before the next one.
  void end_foreign_line();

  // What is to be written, in one piece.
  const std::string& bytes() const noexcept { return bytes_; }

  // The target took so many of bytes(), and refused what follows. Returns the lines given up.
  std::uint64_t took(std::size_t bytes);

  // A line was begun, and its rest is still to come.
  bool owes_rest() const noexcept { return is_begun_; }
  // Its rest will never come. Returns the lines given up: 1, or 0 where only a newline was owed.
  std::uint64_t give_up_rest();

 private:
  std::string bytes_;
  std::vector<std::size_t> ends_;  // of each line in it
  bool is_begun_ = false;          // the first line was
};

}  // namespace penstock::logging
