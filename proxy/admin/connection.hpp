#pragma once
// One connection of the admin server: requests and answers in turn, until either side ends it.
//
// Owner    the loop of control: a connection holds what it shares with the others of its bind, and
//          outlives the server where it is still answered. Thread: control.
// Limits   AdminLimits: places of a bind, bytes of a request, time for each step.
// Errors   what could not be read or made is answered by a status; nothing is thrown.

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
