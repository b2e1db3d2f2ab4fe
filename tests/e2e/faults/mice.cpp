#include "e2e/faults/mice.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "e2e/payload.hpp"

namespace penstock::e2e {

namespace {

constexpr std::size_t exchange_bytes = 64;
constexpr auto patience = 60s;
constexpr std::size_t elephant_bytes = std::size_t{16} << 20;  // repeated

double milliseconds(Clock::duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

// Sockets by poll(2): acts on each that has something to read.
template <typename Act>
void read_ready(std::vector<pollfd>& waited, int timeout, const Act& act) {
  ::poll(waited.data(), waited.size(), timeout);
  for (std::size_t i = 0; i < waited.size(); ++i)
    if (waited[i].revents != 0) act(i);
}

pollfd readable(int socket) {
  return {.fd = socket, .events = POLLIN, .revents = 0};
}

// Gives every connection of the listening socket its bytes back, until `connections` have ended.
void echo_all(int origin, std::size_t connections, const std::atomic<bool>& stop) {
  std::vector<Peer> peers;
  std::vector<pollfd> waited{readable(origin)};
  std::size_t ended = 0;
  const auto serve = [&](std::size_t i) {
    if (i == 0) {
      const int socket = ::accept4(origin, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (socket < 0) return;
      peers.emplace_back(socket);
      waited.push_back(readable(socket));
      return;
    }
    std::string bytes;
    Peer& peer = peers[i - 1];
    const Ending ending = receive_now(peer.descriptor(), bytes);
    if (!bytes.empty()) peer.send(bytes);
    if (ending == Ending::open) return;
    peer.close();
    waited[i].fd = -1;
    ++ended;
  };
  while (ended < connections && !stop) read_ready(waited, 20, serve);
}

class Mouse {
 public:
  Mouse(const std::string& proxy, std::size_t number, std::size_t rounds)
      : peer_{Peer::connect(proxy)}, all_{payload(number, rounds * exchange_bytes)} {}

  int descriptor() const noexcept { return peer_.descriptor(); }
  std::string_view all() const noexcept { return all_; }
  const std::string& received() const noexcept { return received_; }

  void send_next() {
    begun_ = Clock::now();
    peer_.send(all_.substr(received_.size(), exchange_bytes));
  }
  // True when it has ended.
  bool read(std::vector<double>& times) {
    const Ending ending = receive_now(peer_.descriptor(), received_);
    if (all_.substr(0, received_.size()) != received_) throw Failure{"a mouse got other bytes"};
    if (ending == Ending::reset || (ending == Ending::fin && received_.size() != all_.size()))
      throw Failure{"a mouse was cut"};
    if (ending == Ending::fin) return true;
    if (received_.size() % exchange_bytes != 0 || received_.size() == counted_) return false;
    counted_ = received_.size();
    times.push_back(milliseconds(Clock::now() - begun_));
    if (counted_ == all_.size())
      peer_.finish_sending();
    else
      send_next();
    return false;
  }

 private:
  Peer peer_;
  std::string_view all_;
  std::string received_;
  std::size_t counted_ = 0;
  Clock::time_point begun_{};
};

Mice run_clients(const std::string& proxy, std::size_t connections, std::size_t rounds) {
  std::vector<Mouse> mice;
  std::vector<pollfd> waited;
  for (std::size_t i = 0; i < connections; ++i) {
    mice.emplace_back(proxy, i, rounds);
    waited.push_back(readable(mice.back().descriptor()));
  }
  std::vector<double> times;
  std::size_t ended = 0;
  for (Mouse& mouse : mice) mouse.send_next();
  const auto deadline = Clock::now() + patience;
  while (ended < connections) {
    read_ready(waited, 20, [&](std::size_t i) {
      if (!mice[i].read(times)) return;
      waited[i].fd = -1;
      ++ended;
    });
    if (Clock::now() > deadline)
      throw Failure{std::to_string(connections - ended) + " mice are not served"};
  }
  std::sort(times.begin(), times.end());
  Mice result{.p50_ms = times[times.size() / 2], .p99_ms = times[times.size() * 99 / 100]};
  for (const Mouse& mouse : mice) {
    result.sent += mouse.all();
    result.received += mouse.received();
  }
  return result;
}

}  // namespace

Mice run_mice(const std::string& proxy, int origin, std::size_t connections, std::size_t rounds) {
  std::atomic<bool> stop{false};
  std::thread upstream{[&] {
    try {
      echo_all(origin, connections, stop);
    } catch (const Failure&) {
      // The client at the other end sees it.
    }
  }};
  try {
    const Mice mice = run_clients(proxy, connections, rounds);
    upstream.join();
    return mice;
  } catch (...) {
    stop = true;
    upstream.join();
    throw;
  }
}

Elephant::Elephant(Peer source, Peer target)
    : source_{std::move(source)}, target_{std::move(target)} {
  pouring_ = std::thread{[this] { pour(); }};
  drinking_ = std::thread{[this] {
    try {
      drink();
    } catch (...) {
      failure_ = std::current_exception();
    }
  }};
}

Elephant::~Elephant() {
  stopping_ = true;
  if (pouring_.joinable()) pouring_.join();
  if (drinking_.joinable()) drinking_.join();
}

void Elephant::pour() {
  const auto bytes = payload(0, elephant_bytes);
  try {
    while (!stopping_) {
      pollfd waited{.fd = source_.descriptor(), .events = POLLOUT, .revents = 0};
      if (::poll(&waited, 1, 20) > 0)
        poured_ += source_.send_now(bytes.substr(poured_ % elephant_bytes, 256 * 1024));
    }
    source_.finish_sending();
  } catch (const Failure&) {
    // The other end sees it.
  }
}

void Elephant::drink() {
  const auto expected = payload(0, elephant_bytes);
  std::vector<char> got(256 * 1024);
  for (;;) {
    pollfd waited = readable(target_.descriptor());
    // Longer than any scenario keeps the proxy from moving.
    if (::poll(&waited, 1, 3 * static_cast<int>(soon.count())) <= 0)
      throw Failure{"the elephant stands still"};
    const auto size = ::recv(target_.descriptor(), got.data(), got.size(), MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN) continue;
    if (size < 0) fail_with_errno("the elephant");
    if (size == 0) return;
    std::string_view chunk{got.data(), static_cast<std::size_t>(size)};
    while (!chunk.empty()) {
      const auto part = expected.substr(delivered_ % elephant_bytes, chunk.size());
      if (chunk.substr(0, part.size()) != part) throw Failure{"the elephant got other bytes"};
      chunk.remove_prefix(part.size());
      delivered_ += part.size();
    }
  }
}

std::uint64_t Elephant::stop() {
  stopping_ = true;
  pouring_.join();
  drinking_.join();
  source_.close();
  target_.close();
  if (failure_) std::rethrow_exception(failure_);
  if (delivered_ != poured_) throw Failure{"the elephant lost its tail"};
  return delivered_;
}

}  // namespace penstock::e2e
