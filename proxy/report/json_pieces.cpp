#include "report/json_pieces.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "base/text.hpp"

namespace penstock::report {

std::string& JsonRow::text_of(std::string_view name) {
  if (!std::exchange(is_first_, false)) text_ += ',';
  text_ += '"';
  text_ += name;
  text_ += "\":";
  return text_;
}

void JsonRow::word(std::string_view name, std::string_view value) {
  base::append_json_string(text_of(name), value);
}

void JsonRow::number(std::string_view name, std::uint64_t value) {
  const fmt::format_int digits{value};
  text_of(name).append(digits.data(), digits.size());
}

void JsonRow::number(std::string_view name, double value) {
  std::string& text = text_of(name);
  const std::size_t begin = text.size();
  fmt::format_to(std::back_inserter(text), "{}", value);
  // Its kind does not change with its value. fmt's own "{:#}" writes 1.0 in release 9 and, what is
  // no JSON, 1. in release 10.
  if (text.find_first_of(".e", begin) == text.npos) text += ".0";
}

void add_text(base::PagePieces& pieces, std::string text) {
  pieces.push_back([text = std::move(text)](std::string& page) { page += text; });
}

void add_rows(base::PagePieces& pieces, std::size_t rows, const JsonRowWriter& row) {
  const auto shared = std::make_shared<const JsonRowWriter>(row);
  for (std::size_t first = 0; first < rows; first += base::rows_per_piece)
    pieces.push_back([first, rows, shared](std::string& page) {
      for (std::size_t i = first; i < std::min(first + base::rows_per_piece, rows); ++i) {
        if (i > 0) page += ',';
        (*shared)(page, i);
      }
    });
}

base::PagePieces pieces_of_list(std::string_view name, std::size_t rows, const JsonRowWriter& row) {
  base::PagePieces pieces;
  add_text(pieces, "{\"" + std::string{name} + "\":[");
  add_rows(pieces, rows, row);
  add_text(pieces, "]}\n");
  return pieces;
}

}  // namespace penstock::report
