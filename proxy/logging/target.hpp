#pragma once
// Where the lines of a sink end: a standard stream or a file, as spdlog sees it.
//
// Owner    the LineSink. Thread: sink_it_() and flush_() by that of the queue, which may block
//          there; the rest by control: an atomic, or under a mutex that is never held meanwhile.
// Errors   what is refused is counted, and the last reason kept for take_error().
// Source   spdlog's base_sink; fopen(3), fifo(7).

#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"
#include "logging/line_batch.hpp"

namespace spdlog::details {
class thread_pool;
}

namespace penstock::logging {

class Target final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  // stdout, stderr, or the path of a file, which is created or appended to.
  static base::SentenceOr<std::shared_ptr<Target>> open(const std::string& name);
  // `path` is empty for a standard stream.
  Target(std::FILE* file, std::string path) : file_{file}, path_{std::move(path)} {}
  ~Target() override;

  bool is_file() const noexcept { return !path_.empty(); }

  // Before the first line.
  void use_colour() noexcept { colour_ = true; }
  void watch(spdlog::details::thread_pool& pool) noexcept { pool_ = &pool; }

  void ask_to_reopen() noexcept { reopen_asked_.store(true, std::memory_order_relaxed); }
  std::uint64_t failed() const noexcept { return failed_.load(std::memory_order_relaxed); }
  // Until done(lines that were written, begun or refused); false where `patience` passed before.
  template <class Done>
  bool wait(base::Duration patience, Done&& done) {
    std::unique_lock lock{mutex_of_progress_};
    return progress_.wait_for(lock, patience, [&] { return done(finished_); });
  }
  std::string take_error();

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override;

 private:
  void put(const spdlog::details::log_msg& message, std::string_view line);
  void settle();
  void reopen_where_asked();
  void leave_rest_behind();
  std::string shown_path() const { return path_.empty() ? "on a standard stream" : path_; }

  std::FILE* file_;
  const std::string path_;
  bool colour_ = false;
  spdlog::details::thread_pool* pool_ = nullptr;  // it outlives every line
  LineBatch batch_;
  std::uint64_t unsettled_ = 0;  // lines that came since the last write
  std::atomic<bool> reopen_asked_{false};
  std::atomic<std::uint64_t> failed_{0};
  std::mutex mutex_of_progress_;
  std::condition_variable progress_;
  std::uint64_t finished_ = 0;
  std::string error_;
};

}  // namespace penstock::logging
