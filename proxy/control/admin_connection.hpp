#pragma once
// One connection of the admin server: requests and answers in turn, until either side ends it.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <memory>

#include "control/admin_server.hpp"

namespace penstock::control {

using AdminSocket = boost::asio::generic::stream_protocol::socket;

// Shared by all connections of one server.
struct AdminShared {
  AdminView& view;
  const AdminLimits limits;
  std::size_t connections = 0;
};

boost::asio::awaitable<void> serve_admin(AdminSocket socket, bool read_only,
                                         std::shared_ptr<AdminShared> shared);

}  // namespace penstock::control
