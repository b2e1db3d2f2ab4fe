#include "control/admin_server.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <filesystem>

#include "control/admin_connection.hpp"
#include "os/socket.hpp"
#include "upstream/as_result.hpp"

namespace penstock::control {

namespace {

namespace asio = boost::asio;
using upstream::as_result;
using Protocol = asio::generic::stream_protocol;
using Acceptor = asio::basic_socket_acceptor<Protocol>;

Protocol protocol_of(const os::SocketAddress& address) {
  if (address.is_unix()) return asio::local::stream_protocol{};
  const bool is_v6 = address.ip().family == os::IpEndpoint::Family::v6;
  return is_v6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4();
}

// The loop owns its acceptor, and both end with the io_context.
asio::awaitable<void> accept_loop(Acceptor acceptor, std::shared_ptr<AdminDoor> door) {
  asio::steady_timer pause{acceptor.get_executor()};
  while (true) {
    auto [error, socket] = co_await acceptor.async_accept(as_result);
    if (error == asio::error::operation_aborted) co_return;
    if (error) {
      // Out of descriptors, most likely: asking again at once would spin.
      pause.expires_after(std::chrono::milliseconds{100});
      co_await pause.async_wait(as_result);
      continue;
    }
    os::close_on_exec(socket.native_handle());                        // Asio does not
    if (door->connections >= door->limits.connections_max) continue;  // closes it
    asio::co_spawn(acceptor.get_executor(), serve_admin(std::move(socket), door), asio::detached);
  }
}

}  // namespace

AdminServer::Created AdminServer::create(asio::io_context& io, const std::vector<AdminBind>& binds,
                                         AdminView& view, const AdminLimits& limits) {
  std::unique_ptr<AdminServer> server{new AdminServer{io, view}};
  std::vector<os::Fd> sockets;
  for (const AdminBind& bind : binds) {
    os::ListenOptions options;
    options.mode = 0600;
    options.owner = bind.owner;
    options.group = bind.group;
    auto socket = os::listen_on(bind.address, options, {});
    if (!socket) return "the admin address: " + socket.error();
    sockets.push_back(std::move(*socket));
    server->addresses_.push_back(bind.address.is_unix()
                                     ? bind.address
                                     : os::SocketAddress{os::local_endpoint(sockets.back().get())});
  }
  for (std::size_t i = 0; i < binds.size(); ++i) {
    Acceptor acceptor{io, protocol_of(binds[i].address), sockets[i].release()};
    auto door = std::make_shared<AdminDoor>(
        AdminDoor{.view = view, .pages = server->pages_, .limits = limits, .bind = binds[i]});
    asio::co_spawn(io, accept_loop(std::move(acceptor), std::move(door)), asio::detached);
  }
  return server;
}

AdminServer::~AdminServer() {
  std::error_code ignored;
  for (const os::SocketAddress& address : addresses_)
    if (address.is_unix() && !address.is_abstract())
      std::filesystem::remove(address.path(), ignored);
}

}  // namespace penstock::control
