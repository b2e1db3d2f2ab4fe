#pragma once
// Many connections through one proxy, both ends of each in the test's hand.
//
// Owner    the test; the origin outlives it. Thread: the test's.

#include <deque>
#include <functional>
#include <vector>

#include "e2e/faults/flow.hpp"
#include "e2e/faults/scenario.hpp"
#include "e2e/origin.hpp"

namespace penstock::e2e {

struct Couple {
  Peer client;
  Peer upstream;
};

class Crowd {
 public:
  // One after another, so that the ends of each are known.
  Crowd(const std::function<Peer()>& connect, Origin& origin, std::size_t count);

  // One flow for each connection, with a seed of its own.
  std::vector<Flow> flows(Way way, FlowOptions options);
  void leave() noexcept { couples_.clear(); }

  Couple& operator[](std::size_t index) { return couples_.at(index); }
  std::size_t size() const noexcept { return couples_.size(); }

 private:
  std::deque<Couple> couples_;  // flows point into it
};

// Of each connection one flow up and one down, first all of the first kind.
std::vector<Flow> both_ways(Crowd& crowd, FlowOptions options);

}  // namespace penstock::e2e
