#pragma once
// One fault scenario: what is expected, what was seen, and the figures around it. Each becomes a
// row of docs/RELIABILITY.md (scripts/reliability collects them).
//
//   Scenario scenario{"A1", "an urgent byte, then FIN", "every byte in order, then FIN"};
//   Penstock penstock{...};
//   scenario.watch(penstock.program(), {penstock.address(), origin.address()});
//   ...
//   scenario.delivered(Way::to_upstream, sent, received);
//   scenario.saw("7 of 7 bytes, FIN");
//
// Owner    the test; constructed first, so that its end comes last. Thread: the test's.
// Writes   ID.json below PENSTOCK_FAULTS_DIR at its end, held or failed: a folder that the
//          environment names, else of the build.

#include <boost/json/object.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "e2e/peer.hpp"
#include "e2e/program.hpp"

namespace penstock::e2e {

enum class Way : std::uint8_t { to_upstream, to_client };

// Sockets of this network namespace that have one of the ports, by state, listening ones left out.
std::map<std::string, std::size_t> sockets_by_state(const std::vector<std::string>& addresses);

// "FIN", "RST" or "open".
std::string name_of(Ending ending);

class Scenario {
 public:
  Scenario(std::string id, std::string title, std::string expected);
  Scenario(const Scenario&) = delete;
  Scenario& operator=(const Scenario&) = delete;
  ~Scenario();

  // From here on the proxy is watched: notes its descriptors and memory. The addresses are the
  // listener's and the endpoints'.
  void watch(Program& proxy, std::vector<std::string> addresses);
  // Notes them again. To be called before the proxy ends; where nobody does, there is no "after".
  void settle();

  // Compares, and notes the number of bytes and their SHA-256.
  void delivered(Way way, std::string_view sent, std::string_view received);
  void delivered(Way way, std::uint64_t bytes, const std::string& digest);
  // How each peer saw the connection end.
  void verdict(std::string_view peer, Ending ending);
  // What the proxy spent, in clock ticks, while nothing was to be done for `duration`. Noted, and
  // returned.
  double idle_ticks(Milliseconds duration = std::chrono::seconds{1});
  // Returns of epoll_wait in all threads of the proxy over `duration`, as strace counts them.
  std::size_t wakeups(Milliseconds duration = std::chrono::seconds{1});

  // A fact for the table; several are joined.
  void saw(const std::string& fact);
  // The same scenario through another proxy.
  void rival_saw(const std::string& rival, const std::string& fact);

 private:
  struct Resources {
    std::size_t descriptors;
    long resident_kib;
  };
  std::optional<Resources> resources() const;

  boost::json::object row_;
  Program* proxy_ = nullptr;
  std::vector<std::string> addresses_;
  std::string seen_;
  boost::json::object rivals_;
  int uncaught_;
};

}  // namespace penstock::e2e
