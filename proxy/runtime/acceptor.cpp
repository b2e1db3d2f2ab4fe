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
// A shortage may also end outside of this process, where nobody rings for us.
constexpr base::Duration pause_at_most = std::chrono::milliseconds{100};

std::vector<bool> near_forwarders(const Seat& seat, const std::vector<Forwarder*>& forwarders) {
  std::vector<bool> near;
  for (const Forwarder* forwarder : forwarders)
    near.push_back(forwarder->setup().seat.node == seat.node);
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
  bool waiting = false;
  bool stopping = false;
  bool closed = false;
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
      admission_{admission},
      resume_{resume},
      waits_{std::make_unique<Waits>(resume)},
      next_id_{setup_.index + 1},
      offered_(forwarders_.size()),
      hand_off_{near_forwarders(setup_.seat, forwarders_)},
      loads_(forwarders_.size()) {
  for (Door& door : doors)
    entrances_.push_back(std::make_unique<Entrance>(waits_->io, std::move(door)));
}

Acceptor::~Acceptor() {
  if (thread_.joinable()) stop();
  waits_->resume_bell.release();  // the bell's owner closes it
  if (waiting_) os::close_descriptor(waiting_->socket);
}

void Acceptor::start(const ThreadLock* lock) {
  thread_ = std::thread{[this, lock] { run(lock); }};
}

void Acceptor::run(const ThreadLock* lock) {
  os::name_thread("acceptor-" + std::to_string(setup_.index));
  place_.settle(setup_.seat);
  os::do_not_preempt_on_wakeup();
  place_.lock(lock);
  const auto work = asio::make_work_guard(waits_->io);
  for (auto& entrance : entrances_) wait_for(*entrance);
  listen_for_resume();
  waits_->io.run();
}

void Acceptor::ping() {
  asio::post(waits_->io, [this] { place_.note_cpu(); });
}

void Acceptor::stop() {
  asio::post(waits_->io, [this] {
    for (auto& entrance : entrances_) close(*entrance);
    waits_->io.stop();
  });
  thread_.join();
}

void Acceptor::wait_for(Entrance& entrance) {
  if (entrance.waiting || entrance.closed || paused_) return;
  entrance.waiting = true;
  entrance.socket.async_wait(asio::posix::stream_descriptor::wait_read,
                             [this, &entrance](const boost::system::error_code& error) {
                               entrance.waiting = false;
                               if (error || entrance.closed) return;
                               serve(entrance);
                               wait_for(entrance);
                             });
}

void Acceptor::serve(Entrance& entrance) {
  for (std::size_t taken = 0; taken < base::accept_batch_max; ++taken)
    if (accept_one(entrance) != Accepted::one) break;
  wake_forwarders();
}

Acceptor::Accepted Acceptor::accept_one(Entrance& entrance) {
  if (paused_) return Accepted::paused;
  if (!admission_.reserve()) {
    pause(Admission::Want::place);
    return Accepted::paused;
  }
  session::Arrival arrival;
  auto accepted = os::accept_from(entrance.socket.native_handle(), arrival.peer,
                                  entrance.listener->options.socket);
  if (!accepted) {
    const int error = accepted.error().value();
    const bool nobody_came = error == EAGAIN || error == EWOULDBLOCK;
    // Before the place goes back: a release from now on is heard.
    if (!nobody_came) pause(Admission::Want::more);
    admission_.cancel();
    return nobody_came ? Accepted::none : Accepted::paused;
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
  if (place(arrival)) return Accepted::one;
  waiting_ = arrival;
  pause(Admission::Want::more);
  return Accepted::paused;
}

bool Acceptor::place(session::Arrival& arrival) noexcept {
  const std::size_t count = forwarders_.size();
  for (std::size_t i = 0; i < count; ++i) loads_[i] = forwarders_[i]->load();
  const HandOff::Choice choice = hand_off_.choose(loads_, arrival.peer);
  for (std::size_t step = 0; step < count; ++step) {
    const std::size_t chosen = (choice.forwarder + step) % count;
    if (!forwarders_[chosen]->offer(setup_.index, arrival)) continue;
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

void Acceptor::pause(Admission::Want want) {
  if (paused_) return;
  paused_ = true;
  admission_.pause(setup_.index, want);
  waits_->timer.expires_after(pause_at_most);
  waits_->timer.async_wait([this](const boost::system::error_code& error) {
    if (!error) resume();
  });
}

void Acceptor::resume() {
  if (!paused_) return;
  if (waiting_ && !place(*waiting_)) {
    waits_->timer.expires_after(pause_at_most);
    waits_->timer.async_wait([this](const boost::system::error_code& error) {
      if (!error) resume();
    });
    return;
  }
  waiting_.reset();
  wake_forwarders();
  paused_ = false;
  admission_.resumed(setup_.index);
  waits_->timer.cancel();
  if (emptying_) empty_queues();
  if (paused_) return;
  // Served at once: what came during the pause need not make a new edge.
  for (auto& entrance : entrances_)
    if (!entrance->closed) serve(*entrance);
  for (auto& entrance : entrances_) wait_for(*entrance);
}

void Acceptor::listen_for_resume() {
  waits_->resume_bell.async_wait(asio::posix::stream_descriptor::wait_read,
                                 [this](const boost::system::error_code& error) {
                                   if (error) return;
                                   resume_.clear();
                                   resume();
                                   listen_for_resume();
                                 });
}

void Acceptor::stop_accepting(std::vector<bool> which, std::function<void()> done) {
  asio::post(waits_->io, [this, which = std::move(which), done = std::move(done)]() mutable {
    done_ = std::move(done);
    for (auto& entrance : entrances_) {
      entrance->stopping = entrance->stopping || which[entrance->listener->index];
      if (entrance->stopping) turn_away_newcomers(*entrance);
    }
    waits_->settle_timer.expires_after(base::drain_handshake_settle);
    waits_->settle_timer.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      emptying_ = true;
      empty_queues();
    });
  });
}

// Where a limit is reached on the way, resume() comes back here: closing a listener resets whoever
// is still queued.
void Acceptor::empty_queues() {
  for (auto& entrance : entrances_) {
    if (!entrance->stopping || entrance->closed) continue;
    Accepted last = Accepted::one;
    while (last == Accepted::one) last = accept_one(*entrance);
    wake_forwarders();
    if (last == Accepted::paused) return;
  }
  emptying_ = false;
  for (auto& entrance : entrances_)
    if (entrance->stopping) close(*entrance);
  if (done_) done_();
}

// From here on nobody new is let in, but what is queued, and what is still shaking hands, is
// served.
void Acceptor::turn_away_newcomers(Entrance& entrance) {
  if (entrance.closed) return;
  if (entrance.address.is_unix())
    entrance.file.remove();
  else
    os::drop_new_handshakes(entrance.socket.native_handle());
}

void Acceptor::close(Entrance& entrance) {
  if (entrance.closed) return;
  entrance.closed = true;
  entrance.file.remove();
  boost::system::error_code ignored;
  entrance.socket.close(ignored);
}

}  // namespace penstock::runtime
