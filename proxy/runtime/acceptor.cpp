#include "runtime/acceptor.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <string>
#include <utility>

#include "base/limits.hpp"
#include "base/time.hpp"
#include "os/clock.hpp"
#include "os/process.hpp"
#include "os/socket.hpp"
#include "os/wakeup.hpp"
#include "runtime/countdown.hpp"
#include "runtime/forwarder.hpp"

namespace penstock::runtime {

namespace asio = boost::asio;

namespace {
std::vector<bool> near_forwarders(const ThreadPlan& plan,
                                  const std::vector<Forwarder*>& forwarders) {
  std::vector<bool> near;
  for (const Forwarder* forwarder : forwarders)
    near.push_back(forwarder->setup().plan.node == plan.node);
  return near;
}
}  // namespace

struct Acceptor::ListeningSocket {
  ListeningSocket(asio::io_context& io, BoundSocket bound)
      : descriptor{io, bound.socket.release()},
        address{std::move(bound.address)},
        file{std::move(bound.file)},
        listener{bound.listener} {}
  asio::posix::stream_descriptor descriptor;
  os::SocketAddress address;
  os::SocketFile file;
  session::Listener* listener;
  std::vector<std::shared_ptr<Countdown>> until_closed;  // of those who stop it
};

struct Acceptor::Waits {
  explicit Waits(const os::Wakeup& resume) : resume_bell{io, resume.descriptor()} {}
  asio::io_context io{1};
  asio::posix::stream_descriptor resume_bell;
  asio::steady_timer timer{io};  // of a pause
};

Acceptor::Acceptor(Setup setup, std::vector<BoundSocket> sockets,
                   std::vector<Forwarder*> forwarders, Admission& admission, os::Wakeup& resume)
    : setup_{std::move(setup)},
      forwarders_{std::move(forwarders)},
      resume_{resume},
      accepting_{setup_.index, sockets.size(), admission, *this},
      waits_{std::make_unique<Waits>(resume)},
      next_id_{setup_.index + 1},
      offered_(forwarders_.size()),
      hand_off_{near_forwarders(setup_.plan, forwarders_)},
      loads_(forwarders_.size()) {
  for (BoundSocket& socket : sockets)
    sockets_.push_back(std::make_unique<ListeningSocket>(waits_->io, std::move(socket)));
}

Acceptor::~Acceptor() {
  if (thread_.joinable()) stop();
  waits_->resume_bell.release();  // the bell's owner closes it
  if (held_) os::close_descriptor(held_->socket);
}

void Acceptor::start(const ThreadLock* lock) {
  thread_ = std::thread{[this, lock] { run(lock); }};
}

void Acceptor::run(const ThreadLock* lock) {
  os::name_thread("acceptor-" + std::to_string(setup_.index));
  place_.settle(setup_.plan);
  os::do_not_preempt_on_wakeup();
  place_.lock(lock);
  const auto work = asio::make_work_guard(waits_->io);
  accepting_.start();
  listen_for_resume();
  waits_->io.run();
}

void Acceptor::ping() {
  asio::post(waits_->io, [this] { place_.note_cpu(); });
}

void Acceptor::stop() {
  asio::post(waits_->io, [this] {
    for (std::size_t socket = 0; socket < sockets_.size(); ++socket) accepting_.close(socket);
    waits_->io.stop();
  });
  thread_.join();
}

void Acceptor::await(std::size_t socket) {
  sockets_[socket]->descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                                          [this, socket](const boost::system::error_code& error) {
                                            if (!error) accepting_.arrived(socket);
                                          });
}

Accepting::Taken Acceptor::take(std::size_t socket) {
  session::Listener& listener = *sockets_[socket]->listener;
  session::Arrival arrival;
  auto accepted = os::accept_from(sockets_[socket]->descriptor.native_handle(), arrival.peer,
                                  listener.options.socket);
  if (!accepted) {
    const int error = accepted.error().value();
    return error == EAGAIN || error == EWOULDBLOCK ? Accepting::Taken::nobody
                                                   : Accepting::Taken::shortage;
  }
  arrival.socket = accepted->release();
  arrival.id = next_id_;
  arrival.at = os::now();
  arrival.listener = &listener;
  next_id_ += setup_.stride;
  accepted_.add();
  const std::size_t limit = listener.options.max_connections;
  const std::size_t before = listener.active.fetch_add(1, std::memory_order_relaxed);
  arrival.over_limit = limit != 0 && before >= limit;
  held_ = arrival;
  return Accepting::Taken::one;
}

bool Acceptor::hand_on() noexcept {
  const std::size_t count = forwarders_.size();
  for (std::size_t i = 0; i < count; ++i) loads_[i] = forwarders_[i]->load();
  const HandOff::Choice choice = hand_off_.choose(loads_, held_->peer);
  for (std::size_t step = 0; step < count; ++step) {
    const std::size_t chosen = (choice.forwarder + step) % count;
    if (!forwarders_[chosen]->offer(setup_.index, *held_)) continue;
    held_.reset();
    offered_[chosen] = true;
    passed_on_.add(choice.left_node ? 1 : 0);
    return true;
  }
  return false;
}

void Acceptor::wake_forwarders() noexcept {
  for (std::size_t i = 0; i < offered_.size(); ++i) {
    if (!offered_[i]) continue;
    offered_[i] = false;
    forwarders_[i]->wake_for_arrivals();
  }
}

void Acceptor::start_timer(base::Duration time) {
  waits_->timer.expires_after(time);
  waits_->timer.async_wait([this](const boost::system::error_code& error) {
    if (!error) accepting_.resume();
  });
}

void Acceptor::stop_timer() noexcept {
  waits_->timer.cancel();
}

void Acceptor::listen_for_resume() {
  waits_->resume_bell.async_wait(asio::posix::stream_descriptor::wait_read,
                                 [this](const boost::system::error_code& error) {
                                   if (error) return;
                                   resume_.clear();
                                   accepting_.resume();
                                   listen_for_resume();
                                 });
}

void Acceptor::stop_accepting(std::vector<bool> which, std::function<void()> done) {
  asio::post(waits_->io, [this, which = std::move(which), done = std::move(done)]() mutable {
    std::vector<std::size_t> stopping;
    for (std::size_t socket = 0; socket < sockets_.size(); ++socket)
      if (which[sockets_[socket]->listener->index] &&
          accepting_.state(socket) != Accepting::State::closed)
        stopping.push_back(socket);
    // One more than sockets: where there are none it is done all the same.
    const auto left = std::make_shared<Countdown>(stopping.size() + 1, std::move(done));
    for (const std::size_t socket : stopping) {
      sockets_[socket]->until_closed.push_back(left);
      accepting_.refuse_new(socket);
    }
    const auto settled =
        std::make_shared<asio::steady_timer>(waits_->io, base::drain_handshake_settle);
    settled->async_wait([this, settled, stopping = std::move(stopping),
                         left](const boost::system::error_code& error) {
      if (error) return;
      for (const std::size_t socket : stopping) accepting_.empty(socket);
      left->report();
    });
  });
}

void Acceptor::emptied(std::size_t socket) {
  for (const auto& left : std::exchange(sockets_[socket]->until_closed, {})) left->report();
}

// From here on nobody new is let in, but what is queued, and what is still shaking hands, is
// served.
void Acceptor::turn_away_newcomers(std::size_t socket) {
  ListeningSocket& one = *sockets_[socket];
  if (one.address.is_unix())
    one.file.remove();
  else
    os::drop_new_handshakes(one.descriptor.native_handle());
}

void Acceptor::close(std::size_t socket) {
  sockets_[socket]->file.remove();
  boost::system::error_code ignored;
  sockets_[socket]->descriptor.close(ignored);
}

}  // namespace penstock::runtime
