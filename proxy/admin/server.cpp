#include "admin/server.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>

#include "admin/connection.hpp"
#include "io/as_result.hpp"
#include "io/protocol.hpp"
#include "os/socket.hpp"
#include "os/socket_file.hpp"

namespace penstock::admin {

namespace {

namespace asio = boost::asio;
using io::as_result;
using Protocol = asio::generic::stream_protocol;
using Acceptor = asio::basic_socket_acceptor<Protocol>;

}  // namespace

// An acceptor, and what its connections share.
struct AdminServer::BoundSocket {
  Acceptor acceptor;
  os::SocketFile file;
  std::shared_ptr<AdminBindState> shared;

  void take_in(AdminSocket socket) {
    os::close_on_exec(socket.native_handle());                          // Asio does not
    if (shared->connections >= shared->limits.connections_max) return;  // closes it
    asio::co_spawn(acceptor.get_executor(), serve_admin(std::move(socket), shared), asio::detached);
  }

  static asio::awaitable<void> accept_loop(std::shared_ptr<BoundSocket> bound) {
    asio::steady_timer pause{bound->acceptor.get_executor()};
    while (bound->acceptor.is_open()) {
      auto [error, socket] = co_await bound->acceptor.async_accept(as_result);
      if (error == asio::error::operation_aborted) co_return;
      if (error) {
        // Out of descriptors, most likely: asking again at once would spin.
        pause.expires_after(std::chrono::milliseconds{100});
        co_await pause.async_wait(as_result);
        continue;
      }
      bound->take_in(std::move(socket));
    }
  }

  // Closing a listening socket resets whoever is queued: they are taken in before.
  void close() {
    file.remove();
    boost::system::error_code error;
    acceptor.non_blocking(true, error);
    while (!error) {
      AdminSocket socket{acceptor.get_executor()};
      acceptor.accept(socket, error);
      if (!error) take_in(std::move(socket));
    }
    acceptor.close(error);
  }
};

AdminServer::AdminServer(asio::io_context& io, AdminView& view) : pages_{io, view} {}

AdminServer::Created AdminServer::create(asio::io_context& io, const std::vector<AdminBind>& binds,
                                         AdminView& view, const AdminLimits& limits) {
  std::unique_ptr<AdminServer> server{new AdminServer{io, view}};
  for (const AdminBind& bind : binds) {
    os::ListenOptions options;
    options.mode = 0600;
    options.owner = bind.owner;
    options.group = bind.group;
    os::SocketOptions accepted;
    accepted.notsent_lowat = PageMaking::part_bytes;  // what waits to be sent was made for nothing
    auto socket = os::listen_on(bind.address, options, accepted);
    if (!socket) return "the admin address: " + socket.error();
    server->addresses_.push_back(bind.address.is_unix()
                                     ? bind.address
                                     : os::SocketAddress{os::local_endpoint(socket->get())});
    server->sockets_.push_back(std::make_shared<BoundSocket>(
        BoundSocket{.acceptor = {io, io::protocol_of(bind.address), socket->release()},
                    .file = os::SocketFile{bind.address},
                    .shared = std::make_shared<AdminBindState>(AdminBindState{
                        .view = view, .pages = server->pages_, .limits = limits, .bind = bind})}));
  }
  for (const auto& socket : server->sockets_)
    asio::co_spawn(io, BoundSocket::accept_loop(socket), asio::detached);
  return server;
}

void AdminServer::stop_listening() {
  for (const auto& socket : sockets_) socket->close();
  sockets_.clear();
}

AdminServer::~AdminServer() {
  for (const auto& socket : sockets_) socket->file.remove();
}

}  // namespace penstock::admin
