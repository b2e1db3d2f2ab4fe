#pragma once
// Upstreams and their endpoints as JSON, in pieces.
//
// Thread   control.

#include "base/page_pieces.hpp"
#include "base/time.hpp"

namespace penstock::upstream {
class Registry;
}

namespace penstock::report {

class WallClock;

// {"upstreams":[...]}. The endpoints are those of now; their numbers are those of when a piece is
// called.
base::PagePieces upstreams_pieces(const upstream::Registry& registry, base::Instant now,
                                  const WallClock& clock);

}  // namespace penstock::report
