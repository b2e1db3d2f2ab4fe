#include "e2e/talkers.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <exception>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "e2e/payload.hpp"
#include "e2e/peer.hpp"

namespace penstock::e2e {

namespace {

enum class First : std::uint32_t { client, server, both };

struct Header {
  std::uint64_t seed;
  std::uint32_t size;
  First first;  // who sends FIN first; the client decides
};

class Talker {
 public:
  Talker(Peer peer, bool is_client, Header header, std::uint64_t seed)
      : peer_{std::move(peer)}, is_client_{is_client}, header_{header}, random_{seed} {
    output_.assign(reinterpret_cast<const char*>(&header_), sizeof header_);
    rest_ = payload(header_.seed, header_.size);
  }

  bool finished() const noexcept { return sent_fin_ && got_fin_; }

  // What to wait for, and at the latest until when.
  short events(Clock::time_point now) const noexcept {
    const bool may_write = !sent_fin_ && (!output_.empty() || !rest_.empty()) && now >= write_at_;
    const bool may_read = !got_fin_ && now >= read_at_;
    return static_cast<short>((may_write ? POLLOUT : 0) | (may_read ? POLLIN : 0));
  }

  void act(short ready, Clock::time_point now) {
    if ((ready & (POLLIN | POLLHUP | POLLERR)) != 0 && now >= read_at_ && !got_fin_) read(now);
    if ((ready & POLLOUT) != 0 && now >= write_at_) write(now);
    if (!sent_fin_ && output_.empty() && rest_.empty() && may_finish()) {
      peer_.finish_sending();
      sent_fin_ = true;
    }
  }

  int descriptor() const noexcept { return peer_.descriptor(); }

 private:
  bool may_finish() const noexcept {
    if (!theirs_) return is_client_ && header_.first != First::server;
    const First first = is_client_ ? header_.first : theirs_->first;
    return got_fin_ || first == First::both || (first == First::client) == is_client_;
  }

  // Now and then a pause of up to 5 ms.
  Clock::time_point after_a_pause(Clock::time_point now) {
    if (random_() % 4 != 0) return now;
    return now + std::chrono::microseconds{random_() % 5000};
  }

  void write(Clock::time_point now) {
    if (!output_.empty()) {
      output_.erase(0, peer_.send_now(output_));
    } else {
      const std::size_t chunk = 1 + random_() % (128 * 1024);
      rest_.remove_prefix(peer_.send_now(rest_.substr(0, chunk)));
    }
    write_at_ = after_a_pause(now);
  }

  void read(Clock::time_point now) {
    std::array<char, 65536> chunk;
    const std::size_t wish = 1 + random_() % chunk.size();
    const auto bytes = ::recv(peer_.descriptor(), chunk.data(), wish, MSG_DONTWAIT);
    if (bytes < 0 && errno == EAGAIN) return;
    if (bytes < 0) fail_with_errno("a connection of the conversation");
    if (bytes == 0)
      take_fin();
    else
      take({chunk.data(), static_cast<std::size_t>(bytes)});
    read_at_ = after_a_pause(now);
  }

  void take_fin() {
    if (!theirs_ || !expected_.empty())
      throw Failure{"FIN with " + std::to_string(expected_.size()) + " bytes missing"};
    got_fin_ = true;
  }

  void take(std::string_view bytes) {
    if (!theirs_) {
      const std::size_t wanted = std::min(sizeof(Header) - input_.size(), bytes.size());
      input_.append(bytes.substr(0, wanted));
      bytes.remove_prefix(wanted);
      if (input_.size() < sizeof(Header)) return;
      std::memcpy(&theirs_.emplace(), input_.data(), sizeof(Header));
      if (theirs_->size > payload_bytes_max) throw Failure{"a header of other bytes came"};
      expected_ = payload(theirs_->seed, theirs_->size);
    }
    if (bytes.size() > expected_.size() || expected_.substr(0, bytes.size()) != bytes)
      throw Failure{"other bytes came than were sent"};
    expected_.remove_prefix(bytes.size());
  }

  Peer peer_;
  bool is_client_;
  Header header_;
  std::minstd_rand random_;
  std::string output_;     // what is left of the header
  std::string_view rest_;  // what is left of the payload
  std::string input_;
  std::optional<Header> theirs_;
  std::string_view expected_;
  Clock::time_point write_at_{};
  Clock::time_point read_at_{};
  bool sent_fin_ = false;
  bool got_fin_ = false;
};

class Conversers {
 public:
  explicit Conversers(const Conversation& plan) : plan_{plan} {}

  void run() {
    std::thread servers{[this] { guarded(&Conversers::run_servers); }};
    guarded(&Conversers::run_clients);
    servers.join();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void guarded(void (Conversers::*part)()) {
    try {
      (this->*part)();
    } catch (...) {
      failed_ = true;
      const std::lock_guard lock{mutex_};
      if (!failure_) failure_ = std::current_exception();
    }
  }

  Talker make(Peer peer, bool is_client, std::mt19937_64& random) const {
    const Header header{.seed = random() >> 1,
                        .size = static_cast<std::uint32_t>(random() % (plan_.bytes_max + 1)),
                        .first = static_cast<First>(random() % 3)};
    return Talker{std::move(peer), is_client, header, random()};
  }

  void run_clients() {
    std::mt19937_64 random{plan_.seed * 2};
    std::vector<Talker> talkers;
    for (std::size_t i = 0; i < plan_.connections; ++i)
      talkers.push_back(make(Peer::connect(plan_.connect_to), true, random));
    const auto deadline = Clock::now() + limit;
    while (!talkers.empty()) round(talkers, -1, deadline);
  }

  void run_servers() {
    std::mt19937_64 random{plan_.seed * 2 + 1};
    std::vector<Talker> talkers;
    const auto deadline = Clock::now() + limit;
    for (std::size_t accepted = 0; accepted < plan_.connections || !talkers.empty();) {
      const bool more = accepted < plan_.connections;
      if (!round(talkers, more ? plan_.origin : -1, deadline)) continue;
      const int socket = ::accept4(plan_.origin, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (socket < 0) continue;
      talkers.push_back(make(Peer{socket}, false, random));
      ++accepted;
    }
  }

  // One look at all of them; true where `listener` has somebody.
  bool round(std::vector<Talker>& talkers, int listener, Clock::time_point deadline) {
    if (failed_) throw Failure{"the other side of the conversation failed"};
    const auto now = Clock::now();
    if (now > deadline) throw Failure{std::to_string(talkers.size()) + " connections hang"};
    std::vector<pollfd> waited;
    for (const Talker& talker : talkers) {
      const short events = talker.events(now);
      waited.push_back(
          {.fd = events != 0 ? talker.descriptor() : -1, .events = events, .revents = 0});
    }
    waited.push_back({.fd = listener, .events = POLLIN, .revents = 0});
    ::poll(waited.data(), waited.size(), 1);
    for (std::size_t i = 0; i < talkers.size(); ++i) talkers[i].act(waited[i].revents, now);
    std::erase_if(talkers, [](const Talker& talker) { return talker.finished(); });
    return (waited.back().revents & POLLIN) != 0;
  }

  static constexpr auto limit = 150s;
  const Conversation plan_;
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  std::exception_ptr failure_;
};

}  // namespace

void converse(const Conversation& conversation) {
  Conversers{conversation}.run();
}

}  // namespace penstock::e2e
