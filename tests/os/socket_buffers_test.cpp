#include "os/socket_buffers.hpp"

#include "catch.hpp"

using namespace penstock::os;

TEST_CASE("small socket buffers are granted as they were asked for", "[os]") {
  const SocketBuffers granted = granted_buffers({.receive = 16'384, .send = 20'000});
  CHECK(granted.receive == 16'384);
  CHECK(granted.send == 20'000);
}

TEST_CASE("socket buffers that nobody asked for are the kernel's", "[os]") {
  const SocketBuffers granted = granted_buffers({});
  CHECK(granted.receive == 0);
  CHECK(granted.send == 0);
}

TEST_CASE("socket buffers beyond the kernel's limit are granted up to it", "[os]") {
  constexpr std::size_t huge = std::size_t{1} << 34;  // an int does not hold it
  const SocketBuffers granted = granted_buffers({.receive = huge, .send = huge});
  CHECK(granted.receive < huge);
  CHECK(granted.send < huge);
  // The limit itself is granted.
  CHECK(granted_buffers({.receive = granted.receive}).receive == granted.receive);
}
