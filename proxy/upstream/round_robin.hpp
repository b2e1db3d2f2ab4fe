#pragma once
// Smooth weighted round robin, worked out beforehand.

#include <cstdint>
#include <vector>

namespace penstock::upstream {

// The order in which endpoints are to be picked, as indices: over one turn each appears as often as
// its weight (divided by the greatest common divisor of all) says, spread as evenly as can be: with
// weights 5, 1, 1 it is a a b a c a a. Weight 0 never appears. At most base::round_robin_order_max
// entries: larger weights are scaled down, but none to 0.
// Source: the algorithm that nginx made known in 2012.
std::vector<std::uint16_t> smooth_weighted_order(const std::vector<std::uint32_t>& weights);

// The weights divided by their greatest common divisor, and scaled down where their sum is beyond
// base::round_robin_order_max; none to 0 that was not.
std::vector<std::uint32_t> reduced_weights(const std::vector<std::uint32_t>& weights);

}  // namespace penstock::upstream
