#pragma once
// Which forwarder an acceptor gives a connection to.
//
//   who comes from this host          the least loaded of all: no packet came from any device
//   else, while our node bears its    the least loaded of our node: the packets are there already
//   share
//   else                              the least loaded of all
//
// A node is over its share when its least loaded forwarder has an eighth more than the least loaded
// of all, and 16 connections besides: below that a far connection costs more than it relieves.
// Equals have their turn.
//
// Owner    an acceptor. Thread: its own.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "os/address.hpp"
#include "os/host_addresses.hpp"

namespace penstock::runtime {

class HandOff {
 public:
  // near[i]: forwarder i is on the acceptor's node.
  explicit HandOff(std::vector<bool> near);

  struct Choice {
    std::size_t forwarder;
    bool left_node;  // ours is over its share
  };
  // `loads` by forwarder.
  Choice choose(std::span<const std::size_t> loads, const os::IpEndpoint& peer) noexcept;

 private:
  std::size_t least_of(std::span<const std::size_t> loads, bool near_only) noexcept;

  const std::vector<bool> near_;
  const bool all_near_;
  const os::HostAddresses host_;
  std::size_t turn_ = 0;
};

}  // namespace penstock::runtime
