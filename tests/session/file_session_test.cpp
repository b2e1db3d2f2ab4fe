#include "session/file_session.hpp"

#include <poll.h>

#include <filesystem>

#include "catch.hpp"
#include "files/site.hpp"
#include "os/loopback.hpp"
#include "os/process.hpp"
#include "session/world.hpp"

using namespace penstock;
using namespace penstock::testing;
using session::CloseReason;
using session::Next;
using std::chrono::seconds;

namespace {

constexpr std::size_t large_bytes = 8 << 20;
const std::string request = "GET /file HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string large_request = "GET /large HTTP/1.1\r\nHost: a\r\n\r\n";

// Gives what it is told to have, and no more.
class Shortage : public std::pmr::memory_resource {
 public:
  bool is_on = false;

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    if (is_on) throw std::bad_alloc{};
    return std::pmr::new_delete_resource()->allocate(bytes, alignment);
  }
  void do_deallocate(void* at, std::size_t bytes, std::size_t alignment) override {
    std::pmr::new_delete_resource()->deallocate(at, bytes, alignment);
  }
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
};

struct Folder {
  Folder() {
    os::ignore_broken_pipes();
    directory.write("file", "content");
    directory.write("large", std::string(large_bytes, 'l'));
    files::Options options;
    options.root = directory.path();
    site = *files::Site::open(options);
  }
  TemporaryDirectory directory;
  std::shared_ptr<const files::Site> site;
  Shortage memory;
};

// One connection to a static listener; the test is its client and its forwarder.
struct Served : Folder, World {
  explicit Served(const session::Timeouts& timeouts = {}) : World{{site.get()}, memory} {
    listener.site = site;
    listener.options.timeouts = timeouts;
    os::SocketOptions small;
    small.send_buffer = small.receive_buffer = 32 * 1024;
    pair = tcp_pair(small);
    session = &table.create(arrival_of(pair.server.release()));
  }
  ~Served() {
    if (ended) return;
    session->cut(context);
    table.destroy(*session);
  }
  void start() { follow(session->start(context)); }
  void send(const std::string& text) {
    send_all(pair.client.get(), text);
    REQUIRE(await_fact([&] { return os::unacknowledged_bytes(pair.client.get()) == 0; }));
    run();
  }
  void run() {
    Next next = session->run(context);
    while (next == Next::hungry) next = session->run(context);
    follow(next);
  }
  // Time goes by, and timers fire.
  void pass(base::Duration time) {
    context.now += time;
    timers.advance(context.now, [this](base::Timer&) { follow(session->expired(context)); });
  }
  void drain(base::Duration timeout, base::Duration turn) {
    context.drain_deadline = context.now + timeout;
    session->begin_drain(context.now + turn, context);
  }
  // One answer, without its body of 7 bytes.
  std::string head() {
    std::string text;
    while (text.find("content") == std::string::npos) text += read_some(pair.client.get());
    return text.substr(0, text.size() - 7);
  }
  bool told_to_close() { return head().find("Connection: close\r\n") != std::string::npos; }
  session::Record record() {
    session::Record record;
    REQUIRE(ended);
    REQUIRE(records.try_pop(record));
    return record;
  }
  void follow(Next next) {
    if (next != Next::ended) return;
    ended = true;
    table.destroy(*session);
  }

  Pair pair;
  session::Session* session = nullptr;
  bool ended = false;
};

}  // namespace

TEST_CASE("in a drain the next answer of a static connection tells its client to close",
          "[session]") {
  Served world;
  world.start();
  world.send(request);
  CHECK_FALSE(world.told_to_close());
  world.drain(seconds{20}, seconds{0});
  world.send(request);
  CHECK(world.told_to_close());
  CHECK(error_at_end(world.pair.client.get()) == 0);
  world.pair.client.reset();
  REQUIRE(await_fact([&] {
    if (!world.ended) world.run();
    return world.ended;
  }));
  CHECK(world.record().reason == CloseReason::complete);
}

TEST_CASE("a static connection that came during a drain is told so with its first answer",
          "[session]") {
  Served world;
  world.drain(seconds{20}, seconds{1});
  world.start();
  world.send(request);
  CHECK(world.told_to_close());
}

TEST_CASE("in a drain requests that came together are all answered", "[session]") {
  Served world;
  world.start();
  world.drain(seconds{20}, seconds{0});
  world.send(request + request + request);
  const std::string text = read_to_end(world.pair.client.get());
  CHECK(text.find("Connection: close") != std::string::npos);
  CHECK(text.find("Connection: close") > text.rfind("HTTP/1.1 200"));
  CHECK(std::count(text.begin(), text.end(), 'H') >= 3);
}

TEST_CASE("only a static connection that has rested a second is closed at its turn in a drain",
          "[session]") {
  Served world;
  world.start();
  world.pass(seconds{5});
  world.send(request);
  world.head();
  world.drain(seconds{20}, seconds{0});
  world.pass(std::chrono::milliseconds{100});
  REQUIRE_FALSE(world.ended);
  world.pass(seconds{2});
  CHECK(world.record().reason == CloseReason::drain);
  CHECK(error_at_end(world.pair.client.get()) == 0);
}

TEST_CASE("an answer that was under way when the drain began is not the last", "[session]") {
  Served world;
  world.start();
  world.send(large_request);
  world.drain(seconds{20}, seconds{0});
  std::size_t got = 0;
  while (got < large_bytes) {
    got += read_some(world.pair.client.get()).size();
    world.run();
    REQUIRE_FALSE(world.ended);
  }
  world.send(request);
  std::string text;
  while (text.find("Connection: close\r\n") == std::string::npos)
    text += read_some(world.pair.client.get());
  CHECK(text.find("HTTP/1.1 200 OK") != std::string::npos);
}

TEST_CASE("max_lifetime ends a static connection that is busy, by FIN between two requests",
          "[session]") {
  Served world{{.max_lifetime = seconds{10}}};
  world.start();
  for (int i = 0; i < 11 && !world.ended; ++i) {
    world.send(request);
    world.head();
    world.pass(seconds{1});
  }
  CHECK(world.record().reason == CloseReason::max_lifetime);
  CHECK(error_at_end(world.pair.client.get()) == 0);
}

TEST_CASE("a static connection cut within an answer is reset, and counts as truncated",
          "[session]") {
  Served world{{.max_lifetime = seconds{10}, .abort_linger = seconds{5}}};
  world.start();
  world.send(large_request);
  world.pass(seconds{12});
  REQUIRE_FALSE(world.ended);  // what the kernel holds is given first
  world.pass(seconds{6});
  const session::Record record = world.record();
  CHECK(record.reason == CloseReason::max_lifetime);
  CHECK(record.truncated_to_client);
  CHECK(error_at_end(world.pair.client.get()) == ECONNRESET);
}

TEST_CASE("the head of a request has a deadline from its first byte, however it drips",
          "[session]") {
  const auto idle = GENERATE(seconds{10}, seconds{0}, seconds{3600});
  Served world{{.idle = idle}};
  world.start();
  world.pass(seconds{1});
  const int most = idle == seconds{10} ? 10 : 60;
  int dripped = 0;
  for (; !await_events(world.pair.client.get(), POLLIN, 0) && dripped < 100; ++dripped) {
    world.send("G");
    world.pass(seconds{1});
  }
  CHECK(dripped >= most);
  CHECK(dripped <= most + 1);  // a timer is up to a tick late
  CHECK(read_some(world.pair.client.get()).starts_with("HTTP/1.1 408 "));
}

TEST_CASE("bytes after the last answer do not put half_close_timeout off", "[session]") {
  Served world{{.half_close = seconds{10}}};
  world.start();
  world.send("GET /file HTTP/1.0\r\n\r\n");
  world.head();
  int dripped = 0;
  for (; !world.ended && dripped < 100; ++dripped) {
    world.send("x");
    world.pass(seconds{1});
  }
  CHECK(dripped >= 10);
  CHECK(dripped <= 11);  // a timer is up to a tick late
  CHECK(world.record().reason == CloseReason::half_close_timeout);
}

TEST_CASE("a file that becomes shorter while it is sent ends as a reset of the upstream",
          "[session]") {
  Served world;
  world.start();
  world.send(large_request);
  std::filesystem::resize_file(world.directory / "large", 100);
  std::size_t got = 0;
  while (!world.ended) {
    if (await_events(world.pair.client.get(), POLLIN, 10))
      got += read_some(world.pair.client.get()).size();
    world.pass(std::chrono::milliseconds{20});
    if (!world.ended) world.run();
  }
  got += [&] {
    std::size_t rest = 0;
    std::byte buffer[4096];
    while (await_events(world.pair.client.get(), POLLIN)) {
      const auto result = os::receive(world.pair.client.get(), buffer);
      if (result.status != os::IoStatus::moved) return rest;
      rest += result.bytes;
    }
    return rest;
  }();
  const session::Record record = world.record();
  CHECK(record.reason == CloseReason::upstream_reset);
  CHECK(record.truncated_to_client);
  const auto copied = record.bytes[session::to_client][0];
  CHECK(got == copied + record.sent_by_sendfile);  // what was handed to the kernel arrived
}

TEST_CASE("a static connection without memory for its answer ends as overload", "[session]") {
  Served world;
  world.start();
  world.memory.is_on = true;
  world.send(request);
  CHECK(world.record().reason == CloseReason::overload);
}

TEST_CASE("a static client that resets is told apart from one that vanished", "[session]") {
  Served world;
  world.start();
  world.send(large_request);
  os::reset_on_close(world.pair.client.get());
  world.pair.client.reset();
  REQUIRE(await_fact([&] {
    if (!world.ended) world.run();
    return world.ended;
  }));
  CHECK(world.record().reason == CloseReason::client_reset);
}
