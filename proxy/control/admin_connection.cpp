#include "control/admin_connection.hpp"

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <optional>

#include "control/admin_pages.hpp"
#include "upstream/as_result.hpp"

namespace penstock::control {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using upstream::as_result;

// A socket whose operations end after a while. beast::basic_stream would close it instead, and
// nobody could tell the client why.
class Link : public std::enable_shared_from_this<Link> {
 public:
  explicit Link(AdminSocket connected)
      : socket{std::move(connected)}, timer_{socket.get_executor()} {}

  void allow(std::chrono::milliseconds time) {
    expired_ = false;
    timer_.expires_after(time);
    // An expiry that was queued before the timer was set again is known by its turn.
    timer_.async_wait([weak = weak_from_this(), turn = ++turn_](boost::system::error_code error) {
      const auto link = weak.lock();
      if (error || !link || link->turn_ != turn) return;
      link->expired_ = true;
      boost::system::error_code ignored;
      link->socket.cancel(ignored);
    });
  }
  bool expired() const noexcept { return expired_; }

  AdminSocket socket;

 private:
  asio::steady_timer timer_;
  unsigned turn_ = 0;
  bool expired_ = false;
};

// One of the places that AdminLimits::connections_max counts.
class Place {
 public:
  explicit Place(std::shared_ptr<AdminShared> shared) : shared_{std::move(shared)} {
    ++shared_->connections;
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { --shared_->connections; }

 private:
  const std::shared_ptr<AdminShared> shared_;
};

using Parser = http::request_parser<http::string_body>;

AdminRequest request_from(const http::request<http::string_body>& message, bool read_only) {
  AdminRequest request{.method = std::string{message.method_string()},
                       .target = std::string{message.target()},
                       .host = std::nullopt,
                       .has_origin = message.find(http::field::origin) != message.end(),
                       .read_only = read_only};
  if (const auto host = message.find(http::field::host); host != message.end())
    request.host = std::string{host->value()};
  return request;
}

// What to say to a request that could not be read; nothing where nobody would listen.
std::optional<AdminAnswer> answer_to(boost::system::error_code error, bool expired, bool begun) {
  if (expired)
    return begun ? std::optional{refusal(408, "the request took too long")} : std::nullopt;
  if (error == http::error::body_limit) return refusal(413, "the body is too large");
  if (error == http::error::header_limit || error == http::error::buffer_overflow)
    return refusal(431, "the header is too large");
  if (error == http::error::end_of_stream || error == http::error::partial_message)
    return std::nullopt;
  static const auto& http_errors = http::make_error_code(http::error::bad_version).category();
  if (error.category() == http_errors) return refusal(400, "this is no HTTP request");
  return std::nullopt;
}

struct Form {
  unsigned version = 11;
  bool keep_alive = false;
  bool head_only = false;
};

asio::awaitable<bool> write_answer(Link& link, AdminAnswer answer, Form form) {
  http::response<http::string_body> response;
  response.result(answer.status);
  response.version(form.version);
  response.keep_alive(form.keep_alive);
  response.set(http::field::content_type, answer.content_type);
  response.set(http::field::cache_control, "no-store");
  response.set("X-Content-Type-Options", "nosniff");
  if (!answer.allow.empty()) response.set(http::field::allow, answer.allow);
  response.content_length(answer.body.size());
  if (!form.head_only) response.body() = std::move(answer.body);
  const auto [error, bytes] = co_await http::async_write(link.socket, response, as_result);
  co_return !error && bytes > 0;
}

// Closing a socket with unread bytes sends RST, which can overtake the answer: what the client
// still sends is read, for a second and up to a bound.
asio::awaitable<void> close_gently(Link& link) {
  boost::system::error_code ignored;
  link.socket.shutdown(AdminSocket::shutdown_send, ignored);
  link.allow(std::chrono::seconds{1});
  std::array<char, 4096> unread;
  for (int reads = 0; reads < 256; ++reads) {
    const auto [error, bytes] =
        co_await link.socket.async_read_some(asio::buffer(unread), as_result);
    if (error || bytes == 0) co_return;
  }
}

}  // namespace

asio::awaitable<void> serve_admin(AdminSocket socket, bool read_only,
                                  std::shared_ptr<AdminShared> shared) {
  const Place place{shared};
  const auto link = std::make_shared<Link>(std::move(socket));
  const AdminLimits& limits = shared->limits;
  boost::beast::flat_buffer buffer{limits.header_bytes_max + limits.body_bytes_max};
  while (true) {
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(limits.header_bytes_max));
    parser.body_limit(limits.body_bytes_max);
    link->allow(limits.timeout);
    const auto [error, bytes] = co_await http::async_read(link->socket, buffer, parser, as_result);
    Form form;
    std::optional<AdminAnswer> reply;
    if (error) {
      reply = answer_to(error, link->expired(), parser.got_some() || bytes > 0);
      if (!reply) co_return;
    } else {
      form = {.version = parser.get().version(),
              .keep_alive = parser.get().keep_alive(),
              .head_only = parser.get().method() == http::verb::head};
      reply = answer(request_from(parser.get(), read_only), shared->view);
    }
    link->allow(limits.timeout);
    if (!co_await write_answer(*link, std::move(*reply), form)) co_return;
    if (!form.keep_alive) break;
  }
  co_await close_gently(*link);
}

}  // namespace penstock::control
