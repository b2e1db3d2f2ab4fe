#pragma once
// Another proxy at penstock's place, for the scenarios that it can be put through as well: HAProxy
// with forced splicing, HAProxy as it is, nginx stream. What they do is noted, never checked.
//
//   run_rivals(scenario, [](Subject& proxy, Origin& origin) { return ...; });
//
// Owner    the test. Thread: the test's. Where one is not installed it is left out.

#include <functional>
#include <string>

#include "e2e/faults/scenario.hpp"
#include "e2e/origin.hpp"
#include "e2e/penstock.hpp"

namespace penstock::e2e {

// A proxy under test, whoever it is.
struct Subject {
  explicit Subject(Penstock& penstock) : address{penstock.address()}, program{penstock.program()} {}
  Subject(std::string where, Program& who) : address{std::move(where)}, program{who} {}

  Peer client() const { return Peer::connect(address); }
  Peer client(const Peer::Options& options) const { return Peer::connect(address, options); }
  double idle_ticks(Milliseconds duration) const;

  const std::string address;
  Program& program;
};

// A script drives a proxy and says what came of it, in the words of the table. It must not wait for
// what a worse proxy does not do: every wait needs a deadline, and its passing is a fact.
using Script = std::function<std::string(Subject& proxy, Origin& origin)>;

struct RivalSettings {
  std::string half_close_timeout = "60s";  // where the rival knows one
  std::size_t descriptors_max = 0;         // 0 = ours
  Origin::Options origin{};
  std::string host = "127.0.0.1:";  // where the rival listens
};
void run_rivals(Scenario& scenario, const Script& script, const RivalSettings& settings = {});

}  // namespace penstock::e2e
