#pragma once
// One connection of the admin server: requests and answers in turn, until either side ends it.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <memory>

#include "admin/page_cache.hpp"
#include "admin/server.hpp"

namespace penstock::admin {

using AdminSocket = boost::asio::generic::stream_protocol::socket;

// Shared by all connections of one bind. Its places are its own: who may only read never takes the
// place of who steers.
struct AdminBindState {
  AdminView& view;
  PageCache& pages;  // of all binds
  const AdminLimits limits;
  const AdminBind bind;
  std::size_t connections = 0;
};

boost::asio::awaitable<void> serve_admin(AdminSocket socket, std::shared_ptr<AdminBindState> state);

}  // namespace penstock::admin
