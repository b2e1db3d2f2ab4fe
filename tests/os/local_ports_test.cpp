#include "os/local_ports.hpp"

#include "catch.hpp"
#include "os/loopback.hpp"
#include "os/socket.hpp"

namespace penstock::os {

TEST_CASE("a port that the kernel chose is in the range of local ports", "[os]") {
  const LocalPorts ports = local_ports();
  CHECK(ports != LocalPorts{});
  const Fd listener = testing::listen_at(testing::loopback_v4());
  const Fd client = testing::dial(testing::address_of(listener.get()));
  CHECK(ports.has(local_endpoint(client.get()).port));
}

TEST_CASE("both ends belong to a range of ports, and before it is known every port does", "[os]") {
  constexpr LocalPorts ports{.first = 30'000, .last = 40'000};
  CHECK_FALSE(ports.has(29'999));
  CHECK(ports.has(30'000));
  CHECK(ports.has(40'000));
  CHECK_FALSE(ports.has(40'001));
  CHECK(LocalPorts{}.has(1));
  CHECK(LocalPorts{}.has(65'535));
}

}  // namespace penstock::os
