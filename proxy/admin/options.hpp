#pragma once
// One address of the admin: an entry of `admin` of the configuration. A plain value; it belongs to
// no thread.

#include <string>

#include "os/address.hpp"

namespace penstock::admin {

struct AdminBind {
  os::SocketAddress address;
  std::string owner{};  // of a unix socket: runtime.user and group
  std::string group{};
  bool read_only = false;
  bool allow_remote_control = false;
  std::string token_file{};  // empty: no token is asked for
  std::string token{};       // what stands in it: read when the proxy starts
  bool operator==(const AdminBind&) const = default;
};

}  // namespace penstock::admin
