#include "clients.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string>

namespace penstock::bench {

namespace {

constexpr std::size_t piece_bytes = 256 * 1024;

// One exchange after the other on one socket.
struct Exchange {
  int socket = -1;
  std::size_t to_send = 0;
  std::size_t to_receive = 0;
  std::size_t turn = 0;  // among the sizes
  Clock::time_point begun{};
  Service service{};
};

void begin(Exchange& exchange, std::size_t bytes) {
  exchange.to_send = exchange.to_receive = bytes;
  exchange.begun = Clock::now();
}

// True when the answer is complete.
bool advance(Exchange& exchange, const std::string& request, std::vector<char>& into) {
  while (exchange.to_send > 0) {
    const auto* from = request.data() + (request.size() - exchange.to_send);
    const ssize_t count = ::send(exchange.socket, from, exchange.to_send, MSG_NOSIGNAL);
    if (count < 0 && (errno == EAGAIN || errno == ENOTCONN)) break;
    if (count < 0) die("send");
    exchange.to_send -= static_cast<std::size_t>(count);
  }
  while (exchange.to_receive > 0) {
    const ssize_t count =
        ::recv(exchange.socket, into.data(), std::min(into.size(), exchange.to_receive), 0);
    if (count < 0 && (errno == EAGAIN || errno == ENOTCONN)) return false;
    if (count <= 0) die("the proxy ended a connection");
    exchange.to_receive -= static_cast<std::size_t>(count);
  }
  return exchange.to_send == 0;
}

void note(Seen& seen, Exchange& exchange, std::size_t bytes, Clock::time_point warm) {
  const auto now = Clock::now();
  if (now < warm) return;
  exchange.service.answered(now);
  seen.bytes += bytes;
  ++seen.exchanges;
  seen.latencies_ns.push_back(static_cast<std::uint32_t>((now - exchange.begun).count()));
}

// Calls advance() for whoever is ready until the deadline, and next() when an exchange is complete.
template <class Next>
void run_exchanges(std::vector<Exchange>& exchanges, int epoll, std::size_t bytes_max,
                   Clock::time_point end, Next&& next) {
  const std::string request(bytes_max, 'q');
  std::vector<char> into(piece_bytes);
  std::array<epoll_event, 256> events;
  while (Clock::now() < end) {
    const int count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 10);
    for (int i = 0; i < count; ++i) {
      Exchange& exchange = exchanges[events[static_cast<std::size_t>(i)].data.u64];
      if (!advance(exchange, request, into)) continue;
      next(exchange);
      advance(exchange, request, into);
    }
  }
}

}  // namespace

Seen ping_pong(const Target& proxy, std::size_t connections, const std::vector<std::size_t>& sizes,
               Clock::time_point warm, Clock::time_point end) {
  Seen seen;
  const int epoll = new_epoll();
  std::vector<Exchange> exchanges(connections);
  for (std::size_t i = 0; i < connections; ++i) {
    exchanges[i].socket = connect_to(proxy, i);
    exchanges[i].service = Service{warm};
    begin(exchanges[i], sizes.front());
    watch(epoll, exchanges[i].socket, i);
  }
  const std::size_t bytes_max = *std::max_element(sizes.begin(), sizes.end());
  run_exchanges(exchanges, epoll, bytes_max, end, [&](Exchange& exchange) {
    note(seen, exchange, sizes[exchange.turn], warm);
    exchange.turn = (exchange.turn + 1) % sizes.size();
    begin(exchange, sizes[exchange.turn]);
  });
  for (Exchange& exchange : exchanges) {
    exchange.service.close(end);
    seen.services.push_back(exchange.service);
    ::close(exchange.socket);
  }
  ::close(epoll);
  return seen;
}

Seen connect_again(const Target& proxy, std::size_t concurrent, std::size_t bytes,
                   Clock::time_point warm, Clock::time_point end) {
  Seen seen;
  const int epoll = new_epoll();
  std::vector<Exchange> exchanges(concurrent);
  const auto open = [&](Exchange& exchange) {
    const auto number = static_cast<std::size_t>(&exchange - exchanges.data());
    begin(exchange, bytes);
    exchange.socket = connect_to(proxy, number);
    watch(epoll, exchange.socket, number);
  };
  for (Exchange& exchange : exchanges) open(exchange);
  run_exchanges(exchanges, epoll, bytes, end, [&](Exchange& exchange) {
    note(seen, exchange, bytes, warm);
    ::close(exchange.socket);
    open(exchange);
  });
  for (const Exchange& exchange : exchanges) ::close(exchange.socket);
  ::close(epoll);
  return seen;
}

Seen receive_bulk(const Target& proxy, std::size_t streams, bool reads, Clock::time_point warm,
                  Clock::time_point end) {
  Seen seen;
  const int epoll = new_epoll();
  std::vector<int> sockets;
  for (std::size_t i = 0; i < streams; ++i) {
    sockets.push_back(connect_to(proxy));
    watch(epoll, sockets.back(), i);
  }
  std::vector<char> into(reads ? piece_bytes : 0);
  std::array<epoll_event, 64> events;
  while (Clock::now() < end) {
    const int count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 10);
    for (int i = 0; i < count; ++i) {
      const int socket = sockets[events[static_cast<std::size_t>(i)].data.u64];
      for (;;) {
        const ssize_t got = reads ? ::recv(socket, into.data(), into.size(), 0)
                                  : ::recv(socket, nullptr, 1 << 20, MSG_TRUNC);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != ENOTCONN)) die("a stream ended");
        const auto now = Clock::now();
        if (got < 0 || now >= end) break;
        if (now >= warm) seen.bytes += static_cast<std::uint64_t>(got);
      }
    }
  }
  for (const int socket : sockets) ::close(socket);
  ::close(epoll);
  return seen;
}

std::vector<int> open_idle(const Target& proxy, std::size_t connections) {
  std::vector<int> sockets;
  for (std::size_t i = 0; i < connections; ++i) {
    const int socket = connect_to(proxy);
    pollfd entry{.fd = socket, .events = POLLOUT, .revents = 0};
    char byte = 'q';
    if (::poll(&entry, 1, 5000) != 1 || ::send(socket, &byte, 1, MSG_NOSIGNAL) != 1)
      die("an idle connection cannot send");
    entry.events = POLLIN;
    if (::poll(&entry, 1, 5000) != 1 || ::recv(socket, &byte, 1, 0) != 1)
      die("an idle connection got no answer");
    sockets.push_back(socket);
  }
  return sockets;
}

}  // namespace penstock::bench
