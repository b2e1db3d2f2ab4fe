#include "io/worker.hpp"

#include <utility>

#include "io/alarm.hpp"

namespace penstock::io {

Worker::Worker(boost::asio::io_context& io, std::function<void()> on_start)
    : io_{io}, on_start_{std::move(on_start)} {}

Worker::~Worker() {
  {
    const std::scoped_lock lock{mutex_};
    ends_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Worker::run(std::function<void()> work, std::function<void()> done) {
  {
    const std::scoped_lock lock{mutex_};
    tasks_.push_back({.work = std::move(work), .done = std::move(done)});
  }
  changed_.notify_one();
  start();
}

void Worker::start() {
  if (!thread_.joinable()) thread_ = std::thread{[this] { work_off(); }};
}

void Worker::work_off() {
  if (on_start_) on_start_();
  std::unique_lock lock{mutex_};
  while (true) {
    changed_.wait(lock, [this] { return ends_ || !tasks_.empty(); });
    if (ends_) return;
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task.work();
    call_later(io_, std::move(task.done));
    lock.lock();
  }
}

}  // namespace penstock::io
