#include "cli/ctl/client.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/url/encode.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>
#include <cerrno>
#include <optional>
#include <vector>

#include "admin/token_file.hpp"
#include "os/address.hpp"
#include "os/process.hpp"

namespace penstock::cli {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
constexpr std::size_t answer_bytes_max = std::size_t{16} << 20;

struct Destination {
  asio::generic::stream_protocol::endpoint endpoint;
  std::string host;  // for the header: a literal, since a write with a name is refused
};

// Where a name leads to several addresses, each is tried in turn.
using Destinations = std::vector<Destination>;

base::SentenceOr<Destinations> destinations_of(const std::string& admin) {
  if (admin.starts_with("unix:")) {
    const os::SocketAddress address = *os::parse_socket_address(admin);
    std::string path = address.path();
    if (address.is_abstract()) path.front() = '\0';
    return Destinations{
        {.endpoint = asio::local::stream_protocol::endpoint{path}, .host = "localhost"}};
  }
  std::string host;
  std::uint16_t port = 0;
  os::split_host_port(admin, host, port);
  const auto found = os::resolve(host, port);
  if (!found) return found.error();
  Destinations destinations;
  for (const os::IpEndpoint& endpoint : *found) {
    const auto address = asio::ip::make_address(endpoint.ip_string());
    destinations.push_back({.endpoint = asio::ip::tcp::endpoint{address, endpoint.port},
                            .host = endpoint.to_string()});
  }
  return destinations;
}

// Nobody listens there. Who has no `admin` in his configuration looks for the fault elsewhere.
std::string sentence_for(const boost::system::error_code& error) {
  const bool nobody_listens = error == asio::error::connection_refused || error.value() == ENOENT;
  if (error == boost::system::errc::too_many_files_open)
    return error.message() + "; raise the limit of descriptors (ulimit -n)";
  return error.message() + (nobody_listens ? "; is the proxy running, and does its configuration "
                                             "have an `admin` at this address?"
                                           : "");
}

struct Exchange {
  const Destinations& destinations;
  std::string_view method;
  std::string_view target;
  std::string token;  // empty: none
  std::optional<CtlReply> reply;
  std::string error = "it did not answer in time";
};

asio::awaitable<void> talk(asio::generic::stream_protocol::socket& socket, const std::string& host,
                           Exchange& exchange) {
  http::request<http::empty_body> request{http::string_to_verb(exchange.method), exchange.target,
                                          11};
  request.set(http::field::host, host);
  request.set(http::field::cache_control, "no-cache");
  if (!exchange.token.empty()) request.set(http::field::authorization, "Bearer " + exchange.token);
  request.keep_alive(false);
  request.prepare_payload();
  co_await http::async_write(socket, request, asio::use_awaitable);
  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(answer_bytes_max);
  co_await http::async_read(socket, buffer, parser, asio::use_awaitable);
  exchange.reply = CtlReply{.status = parser.get().result_int(), .body = parser.get().body()};
}

asio::awaitable<void> exchange_with(asio::io_context& io, Exchange& exchange) {
  for (const Destination& destination : exchange.destinations) {
    try {
      asio::generic::stream_protocol::socket socket{io};
      co_await socket.async_connect(destination.endpoint, asio::use_awaitable);
      co_await talk(socket, destination.host, exchange);
      co_return;
    } catch (const boost::system::system_error& failure) {
      exchange.error = sentence_for(failure.code());
    }
  }
}

// Empty where no token is needed, as far as we know.
admin::Token token_of_environment() {
  const char* file = os::environment("PENSTOCK_TOKEN_FILE");
  return file == nullptr || *file == '\0' ? admin::Token{} : admin::read_token(file);
}

}  // namespace

std::string part_of_target(std::string_view text) {
  return boost::urls::encode(text, boost::urls::unreserved_chars);
}

std::string fault_of_admin(const std::string& admin) {
  std::string host;
  std::uint16_t port = 0;
  if (admin.starts_with("unix:")) {
    const auto address = os::parse_socket_address(admin);
    return address ? std::string{} : address.error();
  }
  if (os::split_host_port(admin, host, port)) return {};
  return "it must be ip:port, [v6]:port, name:port or unix:/path";
}

CtlFetched fetch(const std::string& admin, std::string_view method, std::string_view target,
                 base::Duration patience) {
  const auto complaint = [&](const std::string& reason) {
    return "cannot ask the admin address " + admin + ": " + reason;
  };
  const auto destinations = destinations_of(admin);
  if (!destinations) return complaint(destinations.error());
  const admin::Token token = token_of_environment();
  if (!token.error.empty()) return complaint("$PENSTOCK_TOKEN_FILE: " + token.error);
  Exchange exchange{.destinations = *destinations,
                    .method = method,
                    .target = target,
                    .token = token.text,
                    .reply = {}};
  asio::io_context io;
  asio::co_spawn(io, exchange_with(io, exchange), asio::detached);
  if (patience == base::Duration::max())
    io.run();
  else
    io.run_for(patience);
  if (!exchange.reply) return complaint(exchange.error);
  return std::move(*exchange.reply);
}

}  // namespace penstock::cli
