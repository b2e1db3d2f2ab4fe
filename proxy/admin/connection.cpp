#include "admin/connection.hpp"

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

#include "admin/router.hpp"
#include "io/as_result.hpp"

namespace penstock::admin {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using io::as_result;

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
  void allow_any_time() {
    ++turn_;
    timer_.cancel();
  }
  bool expired() const noexcept { return expired_; }

  // Tells once when the client has left: it closed, or reset. Who sends more meanwhile is there.
  void when_left(std::function<void()> tell) {
    socket.async_wait(AdminSocket::wait_read, [weak = weak_from_this(), tell = std::move(tell)](
                                                  boost::system::error_code error) {
      const auto link = weak.lock();
      if (error || !link) return;
      char next = 0;
      link->socket.receive(asio::buffer(&next, 1), AdminSocket::message_peek, error);
      if (error) tell();
    });
  }

  AdminSocket socket;

 private:
  asio::steady_timer timer_;
  unsigned turn_ = 0;
  bool expired_ = false;
};

// One of the places that AdminLimits::connections_max counts.
class Place {
 public:
  explicit Place(std::shared_ptr<AdminBindState> state) : state_{std::move(state)} {
    ++state_->connections;
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { --state_->connections; }

 private:
  const std::shared_ptr<AdminBindState> state_;
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
  static const boost::system::error_code an_http_error{http::error::bad_version};
  if (error.category() == an_http_error.category()) return refusal(400, "this is no HTTP request");
  return std::nullopt;
}

struct Form {
  unsigned version = 11;
  bool keep_alive = false;
  bool head_only = false;
};

using Head = http::response<http::empty_body>;
using Part = PageMaking::Part;

Head head_of(const AdminAnswer& answer, Form form) {
  Head head;
  head.result(answer.status);
  head.version(form.version);
  head.keep_alive(form.keep_alive);
  head.set(http::field::content_type, answer.content_type);
  head.set(http::field::cache_control, "no-store");
  head.set("X-Content-Type-Options", "nosniff");
  if (!answer.allow.empty()) head.set(http::field::allow, answer.allow);
  if (answer.status == 401) head.set(http::field::www_authenticate, "Bearer");
  return head;
}

asio::awaitable<bool> write_head(Link& link, Head& head) {
  http::response_serializer<http::empty_body> serializer{head};
  const auto [error, bytes] = co_await http::async_write_header(link.socket, serializer, as_result);
  co_return !error && bytes > 0;
}

asio::awaitable<bool> write_text(Link& link, Head head, std::string_view body) {
  http::response<http::span_body<const char>> response{std::move(head.base())};
  response.content_length(body.size());
  response.body() = {body.data(), body.size()};
  const auto [error, bytes] = co_await http::async_write(link.socket, response, as_result);
  co_return !error && bytes > 0;
}

// Other calls of the loop have their turn between the slices.
asio::awaitable<Part> next_part(PageReader& reader) {
  while (true) {
    if (Part part = reader.next()) co_return part;
    if (reader.has_ended() || reader.is_given_up()) co_return nullptr;
    co_await asio::post(asio::use_awaitable);
  }
}

asio::awaitable<bool> write_part(Link& link, Part part, bool as_chunk) {
  const asio::const_buffer text{part->data(), part->size()};
  if (as_chunk) {
    const auto [error, bytes] =
        co_await asio::async_write(link.socket, http::make_chunk(text), as_result);
    co_return !error && bytes > 0;
  }
  const auto [error, bytes] = co_await asio::async_write(link.socket, text, as_result);
  co_return !error && bytes == part->size();
}

// A page whose length is not known when its first part is there goes out in chunks, or to an old
// client until the connection ends. Who cannot take it in time sees it end too early.
asio::awaitable<bool> write_page(Link& link, Head head, PageReader& reader, Form form) {
  Part part = co_await next_part(reader);
  if (!part) {
    const AdminAnswer sorry = refusal(503, "time or memory was missing for this page");
    co_return co_await write_text(link, head_of(sorry, form), sorry.body);
  }
  if (reader.has_ended()) co_return co_await write_text(link, std::move(head), *part);
  const bool has_length = reader.knows_length();
  const bool as_chunks = form.version >= 11 && !has_length;
  if (has_length) head.content_length(reader.length());
  if (as_chunks) head.chunked(true);
  bool goes_on = co_await write_head(link, head);
  while (goes_on && part) {
    goes_on = co_await write_part(link, part, as_chunks);
    if (goes_on) part = co_await next_part(reader);
  }
  if (!goes_on || !reader.has_ended()) co_return false;
  if (!as_chunks) co_return has_length;
  const auto [error, bytes] =
      co_await asio::async_write(link.socket, http::make_chunk_last(), as_result);
  co_return !error && bytes > 0;
}

// Who asks for the head alone has no page made: where none is ready, its length is left out (RFC
// 9110, section 9.3.2).
asio::awaitable<bool> write_answer_head(Link& link, const AdminBindState& state,
                                        const AdminAnswer& answer, Form form) {
  Head head = head_of(answer, form);
  const auto length = answer.page ? state.pages.length(*answer.page) : std::nullopt;
  if (length) head.content_length(*length);
  if (!answer.page && answer.pieces.empty()) head.content_length(answer.body.size());
  co_return co_await write_head(link, head);
}

// Empty where the answer is no page.
std::shared_ptr<PageMaking> page_of(AdminBindState& state, AdminAnswer& answer) {
  if (answer.page) return state.pages.page(*answer.page);
  if (answer.pieces.empty()) return nullptr;
  return std::make_shared<PageMaking>(std::move(answer.pieces));
}

// The last thing that a proxy does. The client's place is his until then, or until he leaves:
// nothing is returned then.
asio::awaitable<std::optional<AdminAnswer>> end_of_drain(Link& link, AdminView& view) {
  using Timer = asio::steady_timer;
  const auto end = std::make_shared<std::optional<DrainEnd>>();
  const auto told = std::make_shared<Timer>(link.socket.get_executor(), Timer::time_point::max());
  view.at_end_of_drain([end, told](const DrainEnd& what) {
    *end = what;
    told->cancel();
  });
  link.allow_any_time();
  link.when_left([told] { told->cancel(); });
  if (!*end) co_await told->async_wait(as_result);  // else it had ended already
  if (!*end) co_return std::nullopt;
  co_return drained_answer(**end);
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

// Nothing where nobody is there any more to be answered.
asio::awaitable<std::optional<AdminAnswer>> reply_to(Link& link, AdminBindState& state,
                                                     const Message& message) {
  const AdminRequest request = request_from(message, state.bind);
  AdminAnswer reply = answer(request, state.view);
  const bool is_write = message.method() == http::verb::post && reply.status < 300;
  if (is_write || (request.wants_news && !refused(request, Access::write)))
    state.pages.note_write();
  if (reply.waits_for_drain) co_return co_await end_of_drain(link, state.view);
  co_return reply;
}

// What costs more to take apart than to send, thousands of fields or parameters, has to come on a
// connection of its own.
constexpr std::size_t kept_request_bytes_max = 2048;

// A process that has no memory left must not end for a page.
asio::awaitable<bool> answer_request(Link& link, AdminBindState& state, const Message& message,
                                     std::size_t request_bytes) {
  const Form form{.version = message.version(),
                  .keep_alive = message.keep_alive() && request_bytes <= kept_request_bytes_max,
                  .head_only = message.method() == http::verb::head};
  AdminAnswer reply;
  std::shared_ptr<PageMaking> page;
  try {
    std::optional<AdminAnswer> made = co_await reply_to(link, state, message);
    if (!made) co_return false;
    reply = std::move(*made);
    if (!form.head_only) page = page_of(state, reply);
  } catch (const std::bad_alloc&) {
    reply = refusal(503, "out of memory");
  }
  link.allow(state.limits.timeout);
  if (form.head_only)
    co_return co_await write_answer_head(link, state, reply, form) && form.keep_alive;
  Head head = head_of(reply, form);
  if (!page) co_return co_await write_text(link, std::move(head), reply.body) && form.keep_alive;
  PageReader reader{std::move(page)};
  co_return co_await write_page(link, std::move(head), reader, form) && form.keep_alive;
}

}  // namespace

asio::awaitable<void> serve_admin(AdminSocket socket, std::shared_ptr<AdminBindState> state) {
  const Place place{state};
  const auto link = std::make_shared<Link>(std::move(socket));
  const AdminLimits& limits = state->limits;
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
      if (!co_await write_text(*link, head_of(*reply, {}), reply->body)) co_return;
      break;
    }
    goes_on = co_await answer_request(*link, *state, parser.get(), bytes);
  }
  co_await close_gently(*link);
}

}  // namespace penstock::admin
