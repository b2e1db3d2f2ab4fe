#pragma once
// The admin HTTP server: sockets, limits and timeouts around admin/router.
//
// Owner    main. Thread: control's, on its io_context; nothing here ever blocks it.
// Limits   64 connections of each bind, the next is closed at once; 16 KiB of header, 64 KiB of
//          body, 10 s for a request and for its answer.
// Errors   of one connection end that connection and nothing else.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "admin/api.hpp"
#include "admin/options.hpp"
#include "admin/page_cache.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"

namespace boost::asio {
class io_context;
}

namespace penstock::admin {

struct AdminLimits {
  std::size_t connections_max = base::admin_connections_max;  // of one bind; fewer where there
                                                              // are few descriptors
  std::size_t header_bytes_max = 16 * 1024;
  std::size_t body_bytes_max = 64 * 1024;
  std::chrono::milliseconds timeout{10'000};
};

class AdminServer {
 public:
  using Created = base::SentenceOr<std::unique_ptr<AdminServer>>;
  // Binds every address; a unix socket gets mode 0600. Errors: the sentence that a user should
  // read.
  static Created create(boost::asio::io_context& io, const std::vector<AdminBind>& binds,
                        AdminView& view, const AdminLimits& limits = {});
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;
  ~AdminServer();  // removes the files of its unix sockets, while they are its own

  // Gives its addresses up to whoever comes next, so that a successor can be started while this
  // process drains: who is queued is still taken in, open connections are served to their end.
  void stop_listening();

  // Where it listens; port 0 replaced by what the kernel chose.
  const std::vector<os::SocketAddress>& addresses() const noexcept { return addresses_; }

 private:
  AdminServer(boost::asio::io_context& io, AdminView& view);
  struct BoundSocket;  // Asio's own types stay in the .cpp
  PageCache pages_;
  std::vector<std::shared_ptr<BoundSocket>> sockets_;
  std::vector<os::SocketAddress> addresses_;
};

}  // namespace penstock::admin
