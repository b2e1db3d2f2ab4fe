#include "os/socket.hpp"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/stat.h>

#include <cerrno>

#include "catch.hpp"
#include "os/loopback.hpp"
#include "os/native_address.hpp"
#include "os/tcp_info.hpp"

namespace penstock::os {

using namespace testing;

namespace {

int option(int socket, int level, int name) {
  int value = -1;
  socklen_t length = sizeof value;
  REQUIRE(::getsockopt(socket, level, name, &value, &length) == 0);
  return value;
}

std::string error_of(const base::SentenceOr<Fd>& result) {
  return result ? std::string{} : result.error();
}

}  // namespace

TEST_CASE("bytes and FIN pass between listener and dialler over every address family", "[os]") {
  const TemporaryDirectory directory;
  const SocketAddress addresses[] = {
      loopback_v4(), loopback_v6(), SocketAddress::unix_path(directory / "socket"),
      SocketAddress::unix_path("@penstock-test-" + std::to_string(::getpid()))};
  for (const SocketAddress& address : addresses) {
    CAPTURE(address.to_string());
    const Pair pair = connect_pair(address);
    send_all(pair.client.get(), "question");
    REQUIRE_FALSE(finish_sending(pair.client.get()));
    CHECK(read_to_end(pair.server.get()) == "question");
    send_all(pair.server.get(), "answer");
    CHECK(read_exactly(pair.client.get(), 6) == "answer");
  }
}

TEST_CASE("accepted sockets name their peer, are non-blocking and close on exec", "[os]") {
  const Fd listener = listen_at(loopback_v4());
  IpEndpoint none;
  const auto empty = accept_from(listener.get(), none);
  REQUIRE(empty.has_error());
  CHECK(empty.error().value() == EAGAIN);

  const Fd client = dial(address_of(listener.get()));
  IpEndpoint peer;
  const Fd server = accept_one(listener.get(), &peer);
  CHECK(peer == local_endpoint(client.get()));
  CHECK(connect_result(client.get(), address_of(listener.get())) == 0);
  std::byte byte{};
  CHECK(receive(server.get(), {&byte, 1}).status == IoStatus::would_block);
  CHECK((::fcntl(server.get(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK((::fcntl(client.get(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK((::fcntl(listener.get(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("an IPv4 client of an IPv6 wildcard listener bears its IPv4 name", "[os]") {
  IpEndpoint any;
  any.family = IpEndpoint::Family::v6;
  const Fd listener = listen_at(SocketAddress{any});
  const Fd client = dial(loopback_v4(local_endpoint(listener.get()).port));
  IpEndpoint peer;
  const Fd server = accept_one(listener.get(), &peer);
  CHECK(peer.ip_string() == "127.0.0.1");
  CHECK(local_endpoint(server.get()).ip_string() == "127.0.0.1");
}

TEST_CASE("options hold for who dials and are inherited by what a listener accepts", "[os]") {
  SocketOptions options;
  options.keepalive = {
      .idle = std::chrono::seconds{77}, .interval = std::chrono::seconds{8}, .count = 5};
  options.tcp_user_timeout = std::chrono::seconds{9};
  options.notsent_lowat = 16384;
  options.dscp = 10;
  for (const SocketAddress& address : {loopback_v4(), loopback_v6()}) {
    const Pair pair = connect_pair(address, options);
    CHECK(option(pair.client.get(), SOL_SOCKET, SO_KEEPALIVE) == 0);
    CHECK(option(pair.client.get(), IPPROTO_TCP, TCP_NODELAY) == 0);
    send_at_once(pair.client.get());
    start_keepalive(pair.client.get(), options.keepalive);
    for (const int socket : {pair.client.get(), pair.server.get()}) {
      CHECK(option(socket, SOL_SOCKET, SO_OOBINLINE) == 1);
      CHECK(option(socket, SOL_SOCKET, SO_KEEPALIVE) == 1);
      CHECK(option(socket, IPPROTO_TCP, TCP_NODELAY) == 1);
      CHECK(option(socket, IPPROTO_TCP, TCP_KEEPIDLE) == 77);
      CHECK(option(socket, IPPROTO_TCP, TCP_KEEPINTVL) == 8);
      CHECK(option(socket, IPPROTO_TCP, TCP_KEEPCNT) == 5);
      CHECK(option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT) == 9000);
      CHECK(option(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT) == 16384);
    }
    if (address.ip().family == IpEndpoint::Family::v4)
      CHECK(option(pair.client.get(), IPPROTO_IP, IP_TOS) == 10 << 2);
    else
      CHECK(option(pair.client.get(), IPPROTO_IPV6, IPV6_TCLASS) == 10 << 2);
  }
}

TEST_CASE("an option that the kernel refuses is named", "[os]") {
  SocketOptions options;
  options.congestion = "no-such-control";
  CHECK(error_of(listen_on(loopback_v4(), {}, options)).find("congestion") != std::string::npos);
  CHECK(connect_to(loopback_v4(1), options).has_error());
}

TEST_CASE("a port that is taken is a sentence which says so", "[os]") {
  const Fd listener = listen_at(loopback_v4());
  const std::string error = error_of(listen_on(address_of(listener.get()), {}, {}));
  CHECK(error.find(address_of(listener.get()).to_string()) != std::string::npos);
  CHECK(error.find("Address already in use") != std::string::npos);
}

TEST_CASE("an address of nobody here is a sentence which says so", "[os]") {
  const auto address = parse_socket_address("192.0.2.1:8080");
  REQUIRE(address.has_value());
  CHECK(error_of(listen_on(*address, {}, {})).find("no interface") != std::string::npos);
}

TEST_CASE("a stale unix socket file is replaced", "[os]") {
  const TemporaryDirectory directory;
  const auto address = SocketAddress::unix_path(directory / "socket");
  listen_at(address).reset();  // closed; its file stays
  REQUIRE(std::filesystem::exists(address.path()));
  const Pair pair = connect_pair(address);
  send_all(pair.client.get(), "x");
  CHECK(read_exactly(pair.server.get(), 1) == "x");
}

TEST_CASE("an accepted unix socket is given what it does not inherit", "[os]") {
  const TemporaryDirectory directory;
  const auto address = SocketAddress::unix_path(directory / "socket");
  SocketOptions options;
  options.receive_buffer = 20'000;
  const Fd listener = listen_at(address, options);
  const Fd client = dial(address);
  IpEndpoint peer;
  const auto accepted = accept_from(listener.get(), peer, options);
  REQUIRE(accepted.has_value());
  CHECK(option(accepted->get(), SOL_SOCKET, SO_OOBINLINE) == 1);
  CHECK(option(accepted->get(), SOL_SOCKET, SO_RCVBUF) == 2 * 20'000);
  // Likewise the one that dials.
  CHECK(option(client.get(), SOL_SOCKET, SO_OOBINLINE) == 1);
}

TEST_CASE("a unix socket that somebody listens on, and any other file, are left alone", "[os]") {
  const TemporaryDirectory directory;
  const auto live = SocketAddress::unix_path(directory / "live");
  const Fd listener = listen_at(live);
  CHECK_FALSE(error_of(listen_on(live, {}, {})).empty());
  const Fd client = dial(live);
  CHECK(accept_one(listener.get()));

  directory.write("file", "content");
  const auto file = SocketAddress::unix_path(directory / "file");
  CHECK_FALSE(error_of(listen_on(file, {}, {})).empty());
  CHECK(std::filesystem::file_size(file.path()) == 7);
}

TEST_CASE("a unix socket is born with its mode, and unknown owners are refused", "[os]") {
  const TemporaryDirectory directory;
  const auto address = SocketAddress::unix_path(directory / "socket");
  ListenOptions options;
  options.mode = 0620;
  const auto listener = listen_on(address, options, {});
  REQUIRE(listener.has_value());
  struct stat status {};
  REQUIRE(::stat(address.path().c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0620);
  const auto other = SocketAddress::unix_path(directory / "other");
  options.owner = "no-such-user-here";
  CHECK(error_of(listen_on(other, options, {})).find("no-such-user-here") != std::string::npos);
}

TEST_CASE("dialling a closed port ends with ECONNREFUSED", "[os]") {
  const SocketAddress address = address_of(listen_at(loopback_v4()).get());  // closed again
  const auto socket = connect_to(address, {});
  if (socket) {
    REQUIRE(await_events(socket->get(), POLLOUT));
    CHECK(connect_result(socket->get(), address) == ECONNREFUSED);
  } else {
    CHECK(socket.error().value() == ECONNREFUSED);
  }
  const TemporaryDirectory directory;
  const auto missing = connect_to(SocketAddress::unix_path(directory / "missing"), {});
  REQUIRE(missing.has_error());
  CHECK(missing.error().value() == ENOENT);
}

TEST_CASE("a socket that reached itself counts as refused", "[os]") {
  for (const SocketAddress& address : {loopback_v4(), loopback_v6()}) {
    CAPTURE(address.to_string());
    const NativeAddress any_port = to_native(address);
    const Fd socket{::socket(any_port.storage.ss_family, SOCK_STREAM, 0)};
    REQUIRE(::bind(socket.get(), any_port.get(), any_port.length) == 0);
    const SocketAddress itself = address_of(socket.get());
    const NativeAddress native = to_native(itself);
    REQUIRE(::connect(socket.get(), native.get(), native.length) == 0);
    send_all(socket.get(), "echo");
    REQUIRE(read_exactly(socket.get(), 4) == "echo");  // so it is
    CHECK(connect_result(socket.get(), itself) == ECONNREFUSED);
  }
}

TEST_CASE("what is known of a connect without a call is not asked", "[os]") {
  const Fd listener = listen_at(loopback_v4());
  const SocketAddress address = address_of(listener.get());
  const Fd client = dial(address);
  Fd accepted = accept_one(listener.get());
  reset_on_close(accepted.get());
  accepted.reset();
  REQUIRE(await_events(client.get(), POLLERR));
  CHECK(connect_result(client.get(), address, {.bears_error = false}) == 0);
  CHECK(connect_result(client.get(), address) == ECONNRESET);
}

TEST_CASE("a socket that dialled 0.0.0.0 and reached itself counts as refused", "[os]") {
  const NativeAddress any_port = to_native(loopback_v4());
  const Fd socket{::socket(AF_INET, SOCK_STREAM, 0)};
  REQUIRE(::bind(socket.get(), any_port.get(), any_port.length) == 0);
  IpEndpoint any;
  any.family = IpEndpoint::Family::v4;
  any.port = local_endpoint(socket.get()).port;
  const NativeAddress native = to_native(SocketAddress{any});
  REQUIRE(::connect(socket.get(), native.get(), native.length) == 0);
  CHECK(connect_result(socket.get(), SocketAddress{any}) == ECONNREFUSED);
}

TEST_CASE("a listener that drops new handshakes still gives out what is queued", "[os]") {
  for (const SocketAddress& address : {loopback_v4(), loopback_v6()}) {
    CAPTURE(address.to_string());
    const Fd listener = listen_at(address);
    const Fd queued = dial(address_of(listener.get()));
    REQUIRE_FALSE(drop_new_handshakes(listener.get()));

    auto late = connect_to(address_of(listener.get()), {});
    REQUIRE(late.has_value());
    CHECK_FALSE(await_events(late->get(), POLLOUT, 300));  // neither connected nor refused

    send_all(queued.get(), "before");
    const Fd server = accept_one(listener.get());
    CHECK(read_exactly(server.get(), 6) == "before");
    send_all(server.get(), "after");
    CHECK(read_exactly(queued.get(), 5) == "after");
    REQUIRE_FALSE(finish_sending(queued.get()));
    CHECK(read_to_end(server.get()).empty());
    IpEndpoint peer;
    CHECK(accept_from(listener.get(), peer).has_error());
  }
}

TEST_CASE("the SYN that was dropped reaches whoever listens next", "[os]") {
  Fd listener = listen_at(loopback_v4());
  const SocketAddress address = address_of(listener.get());
  REQUIRE_FALSE(drop_new_handshakes(listener.get()));
  const auto client = connect_to(address, {});
  REQUIRE(client.has_value());
  listener.reset();
  const Fd next = listen_at(address);
  const Fd server = accept_one(next.get());  // the client repeats its SYN after a second
  CHECK(connect_result(client->get(), address) == 0);
}

TEST_CASE("reset_on_close gives the peer ECONNRESET and drops what is queued", "[os]") {
  Pair pair = tcp_pair();
  send_all(pair.server.get(), "lost or not");
  reset_on_close(pair.server.get());
  pair.server.reset();
  CHECK(error_at_end(pair.client.get()) == ECONNRESET);
}

TEST_CASE("a send to a socket that was reset fails without SIGPIPE", "[os]") {
  Pair pair = tcp_pair();
  reset_on_close(pair.server.get());
  pair.server.reset();
  REQUIRE(await_events(pair.client.get(), POLLHUP));
  CHECK(send(pair.client.get(), bytes_of("x")).error == ECONNRESET);
  const IoResult again = send(pair.client.get(), bytes_of("x"));
  CHECK(again.status == IoStatus::failed);
  CHECK(again.error == EPIPE);
}

TEST_CASE("unacknowledged bytes are those in the send queue", "[os]") {
  SocketOptions options;
  options.receive_buffer = 4096;
  options.send_buffer = 64 * 1024;
  const Pair pair = tcp_pair(options);
  CHECK(unacknowledged_bytes(pair.client.get()) == 0);
  std::size_t sent = 0;
  const std::string block(8192, 'x');
  for (IoResult result = send(pair.client.get(), bytes_of(block)); result.status == IoStatus::moved;
       result = send(pair.client.get(), bytes_of(block)))
    sent += result.bytes;
  CHECK(unacknowledged_bytes(pair.client.get()) > 0);
  CHECK(unacknowledged_bytes(pair.client.get()) <= sent);
  read_exactly(pair.server.get(), sent);
  CHECK(await_fact([&] { return unacknowledged_bytes(pair.client.get()) == 0; }));
}

TEST_CASE("unread bytes are counted, also where an RST came behind them", "[os]") {
  Pair pair = tcp_pair();
  CHECK(unread_bytes(pair.client.get()) == 0);
  send_all(pair.server.get(), "last words");
  CHECK(await_fact([&] { return unread_bytes(pair.client.get()) == 10; }));
  reset_on_close(pair.server.get());
  pair.server = Fd{};
  REQUIRE(await_events(pair.client.get(), POLLHUP));
  CHECK(unread_bytes(pair.client.get()) == 10);
  CHECK(read_exactly(pair.client.get(), 10) == "last words");
}

TEST_CASE("send_more and send arrive as one stream", "[os]") {
  const Pair pair = tcp_pair();
  CHECK(send_more(pair.client.get(), bytes_of("head ")).bytes == 5);
  CHECK(send(pair.client.get(), bytes_of("body")).bytes == 4);
  CHECK(read_exactly(pair.server.get(), 9) == "head body");
}

TEST_CASE("TCP_INFO of a live connection has a round trip and no retransmits", "[os]") {
  const Pair pair = tcp_pair();
  send_all(pair.client.get(), "x");
  read_exactly(pair.server.get(), 1);
  REQUIRE(await_fact([&] { return unacknowledged_bytes(pair.client.get()) == 0; }));
  const auto info = tcp_info(pair.client.get());
  REQUIRE(info.has_value());
  CHECK(info->rtt > base::Duration{0});
  CHECK(info->rtt < std::chrono::seconds{5});
  CHECK(info->unacknowledged == 0);
  CHECK(info->unanswered_probes == 0);
  CHECK(info->retransmits == 0);
  CHECK(info->last_heard < std::chrono::seconds{5});
}

TEST_CASE("a unix socket has no TCP_INFO and no addresses", "[os]") {
  const TemporaryDirectory directory;
  const Pair pair = connect_pair(SocketAddress::unix_path(directory / "socket"));
  CHECK_FALSE(tcp_info(pair.client.get()).has_value());
  CHECK(local_endpoint(pair.client.get()).family == IpEndpoint::Family::none);
}

}  // namespace penstock::os
