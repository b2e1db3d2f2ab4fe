#pragma once
// The text of a page, in pieces: each writes a bounded part of it, so that whoever makes a large
// page can do something else in between.
//
// Thread   control. A piece may be called long after it was made: what it points at has to be there
//          as long as the proxy runs, or for the ten seconds for which an endpoint's record stays
//          after it vanished.

#include <functional>
#include <string>
#include <vector>

namespace penstock::base {

using PagePiece = std::function<void(std::string& text)>;
using PagePieces = std::vector<PagePiece>;

// Rows (series of one kind, listeners, endpoints) that one piece writes.
inline constexpr std::size_t rows_per_piece = 64;

// Everything at once, for those who wait for nothing else.
inline std::string text_of(const PagePieces& pieces) {
  std::string text;
  for (const PagePiece& piece : pieces) piece(text);
  return text;
}

}  // namespace penstock::base
