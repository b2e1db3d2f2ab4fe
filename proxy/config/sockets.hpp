#pragma once
// The sockets that a configuration listens on, found by address: each is compared with the few that
// can stand in its way, not with all. Pure.

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "config/addresses.hpp"
#include "config/yaml/reader.hpp"

namespace penstock::config {

// A socket of this configuration, and how a fault calls it.
struct OwnSocket {
  BoundSocket bound;
  const YamlPlace* place = nullptr;
  std::string owner;
  bool is_loop = false;  // a connection to it from an endpoint would come back
};

class OwnSockets {
 public:
  // The first of those beside which it cannot be bound; nullptr where there is none.
  const OwnSocket* in_the_way_of(const BoundSocket& bound) const;
  // The first that a connection to this endpoint arrives at; nullptr where there is none.
  const OwnSocket* reached_by(const os::SocketAddress& endpoint) const;
  // Nothing stands in its way.
  void add(OwnSocket socket);

 private:
  using Index = std::size_t;
  using Family = os::IpEndpoint::Family;

  void note_wildcards_of(std::uint16_t port, std::vector<Index>& found) const;
  void note_same(const os::SocketAddress& address, std::vector<Index>& found) const;
  void note_first_of(std::uint16_t port, Family family, std::vector<Index>& found) const;

  std::vector<OwnSocket> sockets_;  // in the order in which they came
  std::map<os::SocketAddress, Index> by_address_;
  std::map<std::pair<std::uint16_t, Family>, Index> first_of_port_;
};

}  // namespace penstock::config
