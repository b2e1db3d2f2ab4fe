#pragma once
// A long list in JSON, in pieces.
//
// Thread   control: `row` is called when its piece is written, which may be long after.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/page_pieces.hpp"

namespace penstock::report {

// An object at the end of a text, member by member. For lists of thousands: a tree of values that
// is written afterwards costs several times as much.
class JsonRow {
 public:
  explicit JsonRow(std::string& text) : text_{text} { text_ += '{'; }
  JsonRow(const JsonRow&) = delete;
  JsonRow& operator=(const JsonRow&) = delete;
  ~JsonRow() { text_ += '}'; }

  void word(std::string_view name, std::string_view value);
  void number(std::string_view name, std::uint64_t value);
  void number(std::string_view name, double value);
  // For a member that is an object itself, or was written before.
  std::string& text_of(std::string_view name);

 private:
  std::string& text_;
  bool is_first_ = true;
};

// Appends one row of a list.
using JsonRowWriter = std::function<void(std::string& page, std::size_t row)>;

// {"NAME":[...]} and the end of the line.
base::PagePieces pieces_of_list(std::string_view name, std::size_t rows, const JsonRowWriter& row);

// As parts of a larger page: the rows alone, with commas between them.
void add_rows(base::PagePieces& pieces, std::size_t rows, const JsonRowWriter& row);
void add_text(base::PagePieces& pieces, std::string text);

}  // namespace penstock::report
