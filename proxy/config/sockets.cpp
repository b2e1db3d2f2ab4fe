#include "config/sockets.hpp"

#include <algorithm>

namespace penstock::config {

namespace {

os::SocketAddress wildcard_of(os::IpEndpoint::Family family, std::uint16_t port) {
  return os::SocketAddress{os::IpEndpoint{.port = port, .family = family}};
}

}  // namespace

void OwnSockets::note_same(const os::SocketAddress& address, std::vector<Index>& found) const {
  if (const auto same = by_address_.find(address); same != by_address_.end())
    found.push_back(same->second);
}

void OwnSockets::note_wildcards_of(std::uint16_t port, std::vector<Index>& found) const {
  note_same(wildcard_of(Family::v4, port), found);
  note_same(wildcard_of(Family::v6, port), found);
}

void OwnSockets::note_first_of(std::uint16_t port, Family family, std::vector<Index>& found) const {
  if (const auto first = first_of_port_.find({port, family}); first != first_of_port_.end())
    found.push_back(first->second);
}

const OwnSocket* OwnSockets::in_the_way_of(const BoundSocket& bound) const {
  const std::uint16_t port = bound.address.ip().port;
  std::vector<Index> found;
  note_same(bound.address, found);
  note_wildcards_of(port, found);
  if (bound.address.is_wildcard()) {
    note_first_of(port, Family::v4, found);
    note_first_of(port, Family::v6, found);
  }
  std::sort(found.begin(), found.end());
  const auto first = std::find_if(found.begin(), found.end(), [&](Index index) {
    return collide(sockets_[index].bound, bound);
  });
  return first == found.end() ? nullptr : &sockets_[*first];
}

const OwnSocket* OwnSockets::reached_by(const os::SocketAddress& endpoint) const {
  std::vector<Index> found;
  note_same(endpoint, found);
  note_wildcards_of(endpoint.ip().port, found);
  std::sort(found.begin(), found.end());
  const auto first = std::find_if(found.begin(), found.end(), [&](Index index) {
    return reaches(endpoint, sockets_[index].bound);
  });
  return first == found.end() ? nullptr : &sockets_[*first];
}

void OwnSockets::add(OwnSocket socket) {
  const Index index = sockets_.size();
  const os::IpEndpoint& ip = socket.bound.address.ip();
  by_address_.emplace(socket.bound.address, index);
  first_of_port_.emplace(std::pair{ip.port, ip.family}, index);
  sockets_.push_back(std::move(socket));
}

}  // namespace penstock::config
