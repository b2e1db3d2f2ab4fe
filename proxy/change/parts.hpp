#pragma once
// The parts of a difference: what difference() puts together. Pure.

#include "change/change.hpp"
#include "runtime/options.hpp"

namespace penstock::change {

// Notes the keys of those members that differ between two values.
template <typename Value>
class Differing {
 public:
  Differing(const Value& before, const Value& after, Keys& keys)
      : before_{before}, after_{after}, keys_{keys} {}

  template <typename Member>
  const Differing& at(const char* key, Member Value::*member) const {
    if (!(before_.*member == after_.*member)) keys_.emplace_back(key);
    return *this;
  }

 private:
  const Value& before_;
  const Value& after_;
  Keys& keys_;
};

std::vector<ListenerChange> changed_listeners(const std::vector<runtime::ListenerSpec>& running,
                                              const std::vector<runtime::ListenerSpec>& next);
std::vector<UpstreamChange> changed_upstreams(const std::vector<upstream::ClusterSpec>& running,
                                              const std::vector<upstream::ClusterSpec>& next);

}  // namespace penstock::change
