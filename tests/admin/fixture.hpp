#pragma once
// A view that answers with little or much, and an admin server before it on a thread of its own.

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "admin/server.hpp"

namespace penstock::testing {

namespace asio = boost::asio;

struct FakeView final : admin::AdminView {
  std::string unhealthy;
  std::string not_ready;
  std::atomic<int> drains{0};
  std::string steered;  // what the last write to an endpoint said

  std::string unhealthy_because() override { return unhealthy; }
  std::string not_ready_because() override { return not_ready; }
  std::atomic<int> pages_begun{0};
  std::atomic<int> pieces_made{0};
  std::size_t pieces = 1;  // of every page
  std::string long_piece;  // instead of a short one

  base::PagePieces page(admin::PageName name) override {
    ++pages_begun;
    return base::PagePieces(pieces, [this, name](std::string& text) {
      ++pieces_made;
      const std::string_view short_piece =
          name == admin::PageName::metrics ? "penstock_x 1\n" : "{}\n";
      text += long_piece.empty() ? short_piece : std::string_view{long_piece};
    });
  }
  admin::Explained explain(const admin::ExplainQuestion& question) override {
    if (question.listener != "web") return std::string{"there is no such listener"};
    return base::PagePieces{[question](std::string& text) {
      text += boost::json::serialize(
          boost::json::object{{"listener", question.listener}, {"source", question.source}});
      text += '\n';
    }};
  }
  bool set_override(const std::string& upstream, const std::string& endpoint,
                    upstream::Override said) override {
    steered = upstream + ' ' + endpoint + ' ' + std::string{upstream::override_names[said]};
    return upstream == "web";
  }
  void drain() override { ++drains; }
  bool drains_for_ever = false;
  std::vector<std::function<void(const admin::DrainEnd&)>> at_end;
  void at_end_of_drain(std::function<void(const admin::DrainEnd&)> told) override {
    if (drains_for_ever)
      at_end.push_back(std::move(told));
    else
      told({.drained = 3, .cut = 1});
  }
};

// An admin server on a thread of its own, bound to a port that the kernel chose.
class RunningAdmin {
 public:
  explicit RunningAdmin(const admin::AdminLimits& limits = {},
                        const std::string& bind = "127.0.0.1:0", const std::string& other = "") {
    std::vector<admin::AdminBind> binds{bind_of(bind)};
    if (!other.empty()) binds.push_back(bind_of(other));
    server_ = *admin::AdminServer::create(io_, binds, view, limits);
    thread_ = std::thread{[this] { io_.run(); }};
  }
  ~RunningAdmin() {
    io_.stop();
    thread_.join();
  }
  std::string address(std::size_t bind = 0) const {
    return server_->addresses().at(bind).to_string();
  }
  asio::ip::tcp::endpoint endpoint() const {
    return {asio::ip::address_v4::loopback(), server_->addresses().front().ip().port};
  }

  FakeView view;

 private:
  static admin::AdminBind bind_of(const std::string& bind) {
    return {.address = bind == "127.0.0.1:0" ? os::SocketAddress{any_port()}
                                             : (*os::parse_socket_address(bind))};
  }
  static os::IpEndpoint any_port() {
    os::IpEndpoint endpoint = os::parse_socket_address("127.0.0.1:1")->ip();
    endpoint.port = 0;
    return endpoint;
  }
  asio::io_context io_;
  std::unique_ptr<admin::AdminServer> server_;
  std::thread thread_;
};

// Sends `text` and reads until the server closes; "(no end)" where that takes too long.
inline std::string exchange(const RunningAdmin& admin, const std::string& text) {
  asio::io_context io;
  asio::ip::tcp::socket socket{io};
  socket.connect(admin.endpoint());
  std::string answer;
  bool ended = false;
  asio::async_write(socket, asio::buffer(text), [](const auto&, std::size_t) {});
  asio::async_read(socket, asio::dynamic_buffer(answer),
                   [&](const auto&, std::size_t) { ended = true; });
  io.run_for(std::chrono::seconds{20});
  return ended ? answer : "(no end)";
}

}  // namespace penstock::testing
