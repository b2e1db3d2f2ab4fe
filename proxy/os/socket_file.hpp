#pragma once
// The file by which a listening unix socket is found. By the time that we remove it the name may be
// somebody else's: a successor that was started while we drain has put a file of its own there.
//
// Owner    who owns the socket. Device and number tell files apart only as long as the socket is
//          open, which keeps its number from being given to another: remove the file first, then
//          close the socket.
// Thread   one at a time.

#include <cstdint>
#include <string>

#include "os/address.hpp"

namespace penstock::os {

class SocketFile {
 public:
  SocketFile() = default;  // of no socket
  // The file that stands at `address` now, where it is a socket's: bind() has just made it. None of
  // other addresses.
  explicit SocketFile(const SocketAddress& address);

  // So that nobody new finds the socket. Once, and only while the file is still the one that it
  // was.
  void remove() noexcept;

 private:
  std::string path_;  // empty: there is nothing to remove
  std::uint64_t device_ = 0;
  std::uint64_t number_ = 0;
};

}  // namespace penstock::os
