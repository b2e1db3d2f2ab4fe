#pragma once
// What the sources of one upstream have found, as one list: pure.
//
// Sources stand in the order of the configuration, and so do their endpoints in the list. An
// endpoint whose identity or address stands in the list already is merged away: the first entry's
// attributes win. Only where the configuration itself, or one file, gives an address twice under
// two names do both stay: somebody meant it.
//
// Owner    whoever rebuilds snapshots. Thread: control.
// Limit    base::endpoints_max; the first ones are taken.

#include <compare>
#include <cstddef>
#include <string>
#include <vector>

#include "upstream/spec.hpp"

namespace penstock::discovery {

// A source among those of all upstreams.
struct SourceId {
  std::string upstream;
  std::size_t index = 0;  // in ClusterSpec::sources
  auto operator<=>(const SourceId&) const = default;
};

class EndpointSources {
 public:
  explicit EndpointSources(const std::vector<upstream::EndpointSource>& sources);

  // What a source holds now, all of it. True where the merged list differs from before.
  // REQUIRES: the source is no static endpoint.
  bool set(std::size_t index, std::vector<upstream::EndpointSpec> found);

  const std::vector<upstream::EndpointSpec>& endpoints() const noexcept { return merged_; }
  // How many found no place in the list because of its limit.
  std::size_t left_out() const noexcept { return left_out_; }

 private:
  struct Source {
    bool is_static = false;
    std::vector<upstream::EndpointSpec> endpoints;
  };
  void merge();

  std::vector<Source> sources_;
  std::vector<upstream::EndpointSpec> merged_;
  std::size_t left_out_ = 0;
};

}  // namespace penstock::discovery
