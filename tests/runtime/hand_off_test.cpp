#include "runtime/hand_off.hpp"

#include <map>

#include "catch.hpp"

using namespace penstock;
using runtime::HandOff;
using Loads = std::vector<std::size_t>;

namespace {

const os::IpEndpoint far_client = os::parse_socket_address("192.0.2.1:80")->ip();
const os::IpEndpoint own_client = os::parse_socket_address("127.0.0.1:80")->ip();

// Forwarders 0 and 2 are on the acceptor's node.
HandOff between_two_nodes() {
  return HandOff{{true, false, true, false}};
}

}  // namespace

TEST_CASE("on one node the least loaded gets it, and equals have their turn", "[runtime]") {
  HandOff hand_off{{true, true, true}};
  CHECK(hand_off.choose(Loads{3, 1, 2}, far_client).forwarder == 1);
  std::map<std::size_t, int> counts;
  for (int i = 0; i < 9; ++i) ++counts[hand_off.choose(Loads{4, 4, 4}, far_client).forwarder];
  CHECK(counts == std::map<std::size_t, int>{{0, 3}, {1, 3}, {2, 3}});
}

TEST_CASE("a connection from outside stays on the node where it arrived", "[runtime]") {
  HandOff hand_off = between_two_nodes();
  const auto choice = hand_off.choose(Loads{10, 0, 9, 0}, far_client);
  CHECK(choice.forwarder == 2);
  CHECK_FALSE(choice.left_node);
}

TEST_CASE("a connection of this host goes to the least loaded of all", "[runtime]") {
  HandOff hand_off = between_two_nodes();
  CHECK(hand_off.choose(Loads{10, 5, 9, 1}, own_client).forwarder == 3);
  CHECK(hand_off.choose(Loads{10, 5, 9, 1}, {}).forwarder == 3);  // a unix socket
}

TEST_CASE("a node over its share gives to the least loaded of all", "[runtime]") {
  HandOff hand_off = between_two_nodes();
  CHECK(hand_off.choose(Loads{816, 700, 816, 710}, far_client).forwarder == 1);
  CHECK(hand_off.choose(Loads{816, 700, 816, 710}, far_client).left_node);
  CHECK_FALSE(hand_off.choose(Loads{803, 700, 816, 710}, far_client).left_node);
  CHECK_FALSE(hand_off.choose(Loads{16, 0, 17, 0}, far_client).left_node);
  CHECK(hand_off.choose(Loads{17, 0, 17, 1}, far_client).left_node);
}

TEST_CASE("an acceptor on a node without forwarders has no nearer ones", "[runtime]") {
  HandOff hand_off{{false, false}};
  CHECK(hand_off.choose(Loads{7, 3}, far_client).forwarder == 1);
  CHECK_FALSE(hand_off.choose(Loads{7, 3}, far_client).left_node);
}
