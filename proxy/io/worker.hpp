#pragma once
// A thread for what would hold up that of an io_context: a file system that may stand still, a
// table of a million slots.
//
// Owner    who has such work. Thread: that of the io_context, which outlives this; the work is done
//          on the worker's own, which ends with this object, after the task that it is at: those
//          behind it are dropped. It starts with the first task, or by start() where that may come
//          when a sandbox does not let this thread start another any more.
// Errors   std::system_error where there is no thread to be had.

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace boost::asio {
class io_context;
}

namespace penstock::io {

class Worker {
 public:
  // `on_start` runs on the worker's thread, before any work.
  Worker(boost::asio::io_context& io, std::function<void()> on_start);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  // Starts the thread, if it does not run yet.
  void start();

  // Does `work`, after what was given before, then calls `done` on the thread of the io_context. A
  // call that was about to happen is not taken back: it has to find out by itself whether it still
  // may.
  void run(std::function<void()> work, std::function<void()> done);

 private:
  struct Task {
    std::function<void()> work;
    std::function<void()> done;
  };

  void work_off();

  boost::asio::io_context& io_;
  const std::function<void()> on_start_;
  std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  std::deque<Task> tasks_;
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace penstock::io
