#pragma once
// Upstreams and their endpoints as JSON.
//
// Thread   control.

#include <boost/json/array.hpp>

#include "control/wall_clock.hpp"
#include "upstream/registry.hpp"

namespace penstock::control {

boost::json::array upstreams_json(const upstream::Registry& registry, base::Instant now,
                                  const WallClock& clock);

}  // namespace penstock::control
