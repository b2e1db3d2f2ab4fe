#pragma once
// Upstreams and their endpoints as JSON.
//
// Thread   control.

#include <boost/json/fwd.hpp>

#include "base/time.hpp"

namespace penstock::upstream {
class Registry;
}

namespace penstock::control {

class WallClock;

boost::json::array upstreams_json(const upstream::Registry& registry, base::Instant now,
                                  const WallClock& clock);

}  // namespace penstock::control
