#include "os/socket_file.hpp"

#include <filesystem>

#include "catch.hpp"
#include "os/loopback.hpp"

using namespace penstock::os;
using namespace penstock::testing;

TEST_CASE("the file of a unix socket is removed while it is still its own", "[os]") {
  const TemporaryDirectory directory;
  const auto address = SocketAddress::unix_path(directory / "socket");
  const Fd listener = listen_at(address);
  SocketFile file{address};
  file.remove();
  CHECK_FALSE(std::filesystem::exists(address.path()));
}

TEST_CASE("the file that a successor has put in its place stays", "[os]") {
  const TemporaryDirectory directory;
  const auto address = SocketAddress::unix_path(directory / "socket");
  const Fd listener = listen_at(address);
  SocketFile file{address};
  std::filesystem::remove(address.path());
  const Fd successor = listen_at(address);
  file.remove();
  CHECK(std::filesystem::exists(address.path()));
  // And once it was removed nobody's is any more.
  SocketFile second{address};
  second.remove();
  const Fd third = listen_at(address);
  second.remove();
  CHECK(std::filesystem::exists(address.path()));
}

TEST_CASE("what is no socket file is never removed", "[os]") {
  const TemporaryDirectory directory;
  directory.write("file", "content");
  SocketFile file{SocketAddress::unix_path(directory / "file")};
  file.remove();
  CHECK(std::filesystem::exists(directory / "file"));
  SocketFile none;
  none.remove();
  SocketFile of_tcp{loopback_v4()};
  of_tcp.remove();
  SocketFile abstract{SocketAddress::unix_path("@penstock-no-file")};
  abstract.remove();
}
