#pragma once
// Two connections that talk, one to each of two origins.
//
// Thread   the test's.

#include <vector>

#include "e2e/origin.hpp"
#include "e2e/penstock.hpp"

namespace penstock::e2e {

// Both ends of a connection.
struct Talk {
  Peer client;
  Peer served;
  void goes_on();  // each proves that the other still hears it; else a Failure
};

// In the order of the origins.
std::vector<Talk> talk_to_both(const Penstock& penstock, Origin& a, Origin& b);

}  // namespace penstock::e2e
