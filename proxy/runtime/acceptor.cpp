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

struct Acceptor::Entrance {
  Entrance(asio::io_context& io, Door door)
      : socket{io, door.socket.release()},
        address{std::move(door.address)},
        file{std::move(door.file)},
        listener{door.listener} {}
  asio::posix::stream_descriptor socket;
  os::SocketAddress address;
  os::SocketFile file;
  session::Listener* listener;
};

struct Acceptor::Waits {
  explicit Waits(const os::Wakeup& resume) : resume_bell{io, resume.descriptor()} {}
  asio::io_context io{1};
  asio::posix::stream_descriptor resume_bell;
  asio::steady_timer timer{io};         // of a pause
  asio::steady_timer settle_timer{io};  // of stop_accepting()
};

Acceptor::Acceptor(Setup setup, std::vector<Door> doors, std::vector<Forwarder*> forwarders,
                   Admission& admission, os::Wakeup& resume)
    : setup_{std::move(setup)},
      forwarders_{std::move(forwarders)},
      resume_{resume},
      accepting_{setup_.index, doors.size(), admission, *this},
      waits_{std::make_unique<Waits>(resume)},
      next_id_{setup_.index + 1},
      offered_(forwarders_.size()),
      hand_off_{near_forwarders(setup_.plan, forwarders_)},
      loads_(forwarders_.size()) {
  for (Door& door : doors)
    entrances_.push_back(std::make_unique<Entrance>(waits_->io, std::move(door)));
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
    for (std::size_t door = 0; door < entrances_.size(); ++door) accepting_.close(door);
    waits_->io.stop();
  });
  thread_.join();
}

void Acceptor::await(std::size_t door) {
  entrances_[door]->socket.async_wait(asio::posix::stream_descriptor::wait_read,
                                      [this, door](const boost::system::error_code& error) {
                                        if (!error) accepting_.arrived(door);
                                      });
}

Accepting::Taken Acceptor::take(std::size_t door) {
  Entrance& entrance = *entrances_[door];
  session::Arrival arrival;
  auto accepted = os::accept_from(entrance.socket.native_handle(), arrival.peer,
                                  entrance.listener->options.socket);
  if (!accepted) {
    const int error = accepted.error().value();
    return error == EAGAIN || error == EWOULDBLOCK ? Accepting::Taken::nobody
                                                   : Accepting::Taken::shortage;
  }
  arrival.socket = accepted->release();
  arrival.id = next_id_;
  arrival.at = os::now();
  arrival.listener = entrance.listener;
  next_id_ += setup_.stride;
  accepted_.add();
  const std::size_t limit = entrance.listener->options.max_connections;
  const std::size_t before = entrance.listener->active.fetch_add(1, std::memory_order_relaxed);
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
    done_ = std::move(done);
    for (std::size_t door = 0; door < entrances_.size(); ++door)
      if (which[entrances_[door]->listener->index]) accepting_.stop(door);
    waits_->settle_timer.expires_after(base::drain_handshake_settle);
    waits_->settle_timer.async_wait([this](const boost::system::error_code& error) {
      if (!error) accepting_.empty_queues();
    });
  });
}

void Acceptor::emptied() {
  if (done_) done_();
}

// From here on nobody new is let in, but what is queued, and what is still shaking hands, is
// served.
void Acceptor::turn_away_newcomers(std::size_t door) {
  Entrance& entrance = *entrances_[door];
  if (entrance.address.is_unix())
    entrance.file.remove();
  else
    os::drop_new_handshakes(entrance.socket.native_handle());
}

void Acceptor::close(std::size_t door) {
  Entrance& entrance = *entrances_[door];
  entrance.file.remove();
  boost::system::error_code ignored;
  entrance.socket.close(ignored);
}

}  // namespace penstock::runtime
