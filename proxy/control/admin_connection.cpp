#include "control/admin_connection.hpp"

#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/http/span_body.hpp>
#include <new>
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
  explicit Place(std::shared_ptr<AdminDoor> door) : door_{std::move(door)} { ++door_->connections; }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { --door_->connections; }

 private:
  const std::shared_ptr<AdminDoor> door_;
};

using Parser = http::request_parser<http::string_body>;

using Message = http::request<http::string_body>;

template <class Field>
std::optional<std::string> field_of(const Message& message, Field field) {
  const auto found = message.find(field);
  return found == message.end() ? std::nullopt : std::optional<std::string>{found->value()};
}

AdminRequest request_from(const Message& message, const AdminBind& bind) {
  return {.method = std::string{message.method_string()},
          .target = std::string{message.target()},
          .host = field_of(message, http::field::host),
          .origin = field_of(message, http::field::origin),
          .fetch_site = field_of(message, "Sec-Fetch-Site"),
          .authorization = field_of(message, http::field::authorization).value_or(""),
          .is_marked = field_of(message, "X-Penstock") == "1",
          .wants_news = field_of(message, http::field::cache_control) == "no-cache",
          .read_only = bind.read_only,
          .guards_reads = !bind.address.is_unix() && bind.address.is_loopback(),
          .token = bind.token};
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

// Other calls of the loop have their turn between the slices.
asio::awaitable<PageCache::Text> page_of(PageCache& pages, PageName name) {
  PageCache::Reader reader{pages, name};
  while (true) {
    if (auto text = reader.advance()) co_return text;
    co_await asio::post(asio::use_awaitable);
  }
}

// The body is shared by all who read the same page. Who asks for the head alone has no page made:
// where none is ready, its length is left out (RFC 9110, section 9.3.2).
asio::awaitable<PageCache::Text> body_of(AdminDoor& door, AdminAnswer& answer, bool head_only) {
  if (!answer.page) co_return std::make_shared<const std::string>(std::move(answer.body));
  if (head_only) co_return door.pages.ready(*answer.page);
  co_return co_await page_of(door.pages, *answer.page);
}

asio::awaitable<bool> write_answer(Link& link, const AdminAnswer& answer, PageCache::Text body,
                                   Form form) {
  http::response<http::span_body<const char>> response;
  response.result(answer.status);
  response.version(form.version);
  response.keep_alive(form.keep_alive);
  response.set(http::field::content_type, answer.content_type);
  response.set(http::field::cache_control, "no-store");
  response.set("X-Content-Type-Options", "nosniff");
  if (!answer.allow.empty()) response.set(http::field::allow, answer.allow);
  if (answer.status == 401) response.set(http::field::www_authenticate, "Bearer");
  if (body) response.content_length(body->size());
  if (body && !form.head_only) response.body() = {body->data(), body->size()};
  const auto [error, bytes] = co_await http::async_write(link.socket, response, as_result);
  co_return !error && bytes > 0;
}

// The last thing that a proxy does; the client's place is his until then.
asio::awaitable<AdminAnswer> end_of_drain(AdminView& view, AdminSocket::executor_type executor) {
  using Timer = asio::steady_timer;
  const auto end = std::make_shared<std::optional<DrainEnd>>();
  const auto told = std::make_shared<Timer>(executor, Timer::time_point::max());
  view.at_end_of_drain([end, told](const DrainEnd& what) {
    *end = what;
    told->cancel();
  });
  if (!*end) co_await told->async_wait(as_result);  // else it had ended already
  co_return drained_answer(end->value_or(DrainEnd{}));
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

// A process that has no memory left must not end for a page.
asio::awaitable<bool> answer_request(Link& link, AdminDoor& door, const Message& message) {
  const Form form{.version = message.version(),
                  .keep_alive = message.keep_alive(),
                  .head_only = message.method() == http::verb::head};
  AdminAnswer reply;
  PageCache::Text body;
  try {
    const AdminRequest request = request_from(message, door.bind);
    reply = answer(request, door.view);
    const bool is_write = message.method() == http::verb::post && reply.status < 300;
    if (is_write || (request.wants_news && !refused(request, Access::write)))
      door.pages.note_write();
    if (reply.waits_for_drain) reply = co_await end_of_drain(door.view, link.socket.get_executor());
    body = co_await body_of(door, reply, form.head_only);
  } catch (const std::bad_alloc&) {
    reply = refusal(503, "out of memory");
    body = std::make_shared<const std::string>(reply.body);
  }
  link.allow(door.limits.timeout);
  co_return co_await write_answer(link, reply, std::move(body), form) && form.keep_alive;
}

}  // namespace

asio::awaitable<void> serve_admin(AdminSocket socket, std::shared_ptr<AdminDoor> door) {
  const Place place{door};
  const auto link = std::make_shared<Link>(std::move(socket));
  const AdminLimits& limits = door->limits;
  boost::beast::flat_buffer buffer{limits.header_bytes_max + limits.body_bytes_max};
  bool goes_on = true;
  while (goes_on) {
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(limits.header_bytes_max));
    parser.body_limit(limits.body_bytes_max);
    link->allow(limits.timeout);
    const auto [error, bytes] = co_await http::async_read(link->socket, buffer, parser, as_result);
    if (error) {
      const auto reply = answer_to(error, link->expired(), parser.got_some() || bytes > 0);
      if (!reply) co_return;
      link->allow(limits.timeout);
      const auto body = std::make_shared<const std::string>(reply->body);
      if (!co_await write_answer(*link, *reply, body, {})) co_return;
      break;
    }
    goes_on = co_await answer_request(*link, *door, parser.get());
  }
  co_await close_gently(*link);
}

}  // namespace penstock::control
