#pragma once
// A long list in JSON, in pieces.
//
// Thread   control: `row` is called when its piece is written, which may be long after.

#include <boost/json/fwd.hpp>
#include <cstddef>
#include <functional>
#include <string_view>

#include "control/page_pieces.hpp"

namespace penstock::control {

// {"NAME":[...]} and the end of the line, from the objects that `row` makes.
PagePieces pieces_of_list(std::string_view name, std::size_t rows,
                          std::function<boost::json::object(std::size_t row)> row);

// As parts of a larger page: the rows alone, with commas between them.
void add_rows(PagePieces& pieces, std::size_t rows,
              std::function<boost::json::object(std::size_t row)> row);
void add_text(PagePieces& pieces, std::string text);

}  // namespace penstock::control
