#include "control/json_pieces.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

namespace penstock::control {

void add_text(PagePieces& pieces, std::string text) {
  pieces.push_back([text = std::move(text)](std::string& page) { page += text; });
}

void add_rows(PagePieces& pieces, std::size_t rows,
              std::function<boost::json::object(std::size_t row)> row) {
  for (std::size_t first = 0; first < rows; first += rows_per_piece)
    pieces.push_back([first, rows, row](std::string& page) {
      for (std::size_t i = first; i < std::min(first + rows_per_piece, rows); ++i) {
        if (i > 0) page += ',';
        page += boost::json::serialize(row(i));
      }
    });
}

PagePieces pieces_of_list(std::string_view name, std::size_t rows,
                          std::function<boost::json::object(std::size_t row)> row) {
  PagePieces pieces;
  add_text(pieces, "{\"" + std::string{name} + "\":[");
  add_rows(pieces, rows, std::move(row));
  add_text(pieces, "]}\n");
  return pieces;
}

}  // namespace penstock::control
