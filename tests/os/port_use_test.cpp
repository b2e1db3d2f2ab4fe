#include "os/port_use.hpp"

#include <sstream>

#include "catch.hpp"
#include "os/loopback.hpp"
#include "os/socket.hpp"

using namespace penstock;
using os::PortUse;

namespace {

PortUse use_in(const std::string& lines, std::uint16_t port) {
  std::istringstream text{"  sl  local_address rem_address   st tx_queue rx_queue\n" + lines};
  return os::use_of_port(port, text);
}

}  // namespace

TEST_CASE("a port is a listener's where one listens, whoever else has it", "[os]") {
  const std::string connection =
      "   0: 0100007F:1F90 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0\n";
  const std::string listener =
      "   1: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 0\n";
  CHECK(use_in("", 8080) == PortUse::unknown);
  CHECK(use_in(connection, 8080) == PortUse::connection);
  CHECK(use_in(connection, 0xc001) == PortUse::unknown);  // the other end's
  CHECK(use_in(connection + listener, 8080) == PortUse::listener);
  CHECK(use_in("   0: nonsense", 8080) == PortUse::unknown);
}

TEST_CASE("an address in use says whether a listener or a connection has the port", "[os]") {
  const os::Fd listener = testing::listen_at(testing::loopback_v4());
  const os::SocketAddress taken = testing::address_of(listener.get());
  const auto beside = os::listen_on(taken, {}, {});
  REQUIRE(beside.has_error());
  CHECK(beside.error().find("another process listens there") != std::string::npos);
  const os::Fd client = testing::dial(taken);
  const os::SocketAddress own = os::SocketAddress{os::local_endpoint(client.get())};
  const auto in_the_way = os::listen_on(own, {}, {});
  REQUIRE(in_the_way.has_error());
  CHECK(in_the_way.error().find("a connection of this machine has that port") != std::string::npos);
}
