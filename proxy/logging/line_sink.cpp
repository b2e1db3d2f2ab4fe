#include "logging/line_sink.hpp"

#include <spdlog/async_logger.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <utility>

#include "logging/line_batch.hpp"

namespace penstock::logging {

namespace {

constexpr std::uint64_t lines_per_write = 64;

// stdio would write when its buffer is full, and not tell how many lines that were.
std::FILE* without_buffer(std::FILE* file) noexcept {
  if (file != nullptr) std::setvbuf(file, nullptr, _IONBF, 0);
  return file;
}

// Opening a FIFO for writing alone waits for its reader; for both it does not. "e": close-on-exec.
std::FILE* open_file(const std::string& path) noexcept {
  std::error_code ignored;
  return without_buffer(
      std::fopen(path.c_str(), std::filesystem::is_fifo(path, ignored) ? "r+e" : "ae"));
}

// Somebody else's disk was full, or ours before a restart.
bool ends_within_a_line(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return false;
  std::ifstream file{path, std::ios::binary};
  return file.seekg(-1, std::ios::end) && file.get() != '\n';
}

std::string sentence(const std::string& what, const std::string& path, int error_number) {
  return "cannot " + what + " the log " + path + ": " + std::strerror(error_number);
}

constexpr std::string_view colour_of(spdlog::level::level_enum level) noexcept {
  switch (level) {
    case spdlog::level::debug: return "\x1b[36m";
    case spdlog::level::info: return "\x1b[32m";
    case spdlog::level::warn: return "\x1b[33m";
    default: return "\x1b[31m";
  }
}

// Where the lines end. sink_it_() and flush_() run on the queue's thread, and may block there; what
// control asks is an atomic or stands under a mutex that is never held meanwhile.
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

base::SentenceOr<std::shared_ptr<Target>> Target::open(const std::string& name) {
  const bool standard = name == "stdout" || name == "stderr";
  const bool is_torn = !standard && ends_within_a_line(name);
  std::FILE* const file =
      standard ? without_buffer(name == "stdout" ? stdout : stderr) : open_file(name);
  if (file == nullptr) return sentence("open", name, errno);
  auto target = std::make_shared<Target>(file, standard ? std::string{} : name);
  if (is_torn) target->batch_.end_foreign_line();
  return target;
}

Target::~Target() {
  settle();
  if (!path_.empty()) std::fclose(file_);
}

std::string Target::take_error() {
  const std::scoped_lock lock{mutex_of_progress_};
  return std::exchange(error_, {});
}

void Target::sink_it_(const spdlog::details::log_msg& message) {
  reopen_where_asked();
  spdlog::memory_buf_t line;
  formatter_->format(message, line);
  put(message, {line.data(), line.size()});
  ++unsettled_;
  // One write for as many lines as are waiting, and none is held back while nothing comes.
  if (pool_->queue_size() == 0 || unsettled_ >= lines_per_write) settle();
}
void Target::flush_() {
  reopen_where_asked();
  settle();
}

void Target::put(const spdlog::details::log_msg& message, std::string_view line) {
  if (!colour_ || message.color_range_end <= message.color_range_start) return batch_.add(line);
  std::string coloured{line};
  coloured.insert(message.color_range_end, "\x1b[0m");
  coloured.insert(message.color_range_start, colour_of(message.level));
  batch_.add(coloured);
}

void Target::settle() {
  const std::string& bytes = batch_.bytes();
  const std::size_t taken = std::fwrite(bytes.data(), 1, bytes.size(), file_);
  const int error_number = taken < bytes.size() ? errno : 0;
  std::clearerr(file_);
  failed_.fetch_add(batch_.took(taken), std::memory_order_relaxed);
  const std::scoped_lock lock{mutex_of_progress_};
  if (error_number != 0) error_ = sentence("write to", shown_path(), error_number);
  finished_ += std::exchange(unsettled_, 0);
  progress_.notify_all();
}

void Target::reopen_where_asked() {
  if (!reopen_asked_.exchange(false, std::memory_order_relaxed)) return;
  if (std::FILE* file = open_file(path_)) {
    settle();
    std::fclose(std::exchange(file_, file));
    leave_rest_behind();
    return;
  }
  const int error_number = errno;
  const std::scoped_lock lock{mutex_of_progress_};
  error_ = sentence("open again", path_, error_number) + "; the old file stays in use";
}

// The old file took half a line. The new one may be the same.
void Target::leave_rest_behind() {
  if (!batch_.owes_rest()) return;
  failed_.fetch_add(batch_.give_up_rest(), std::memory_order_relaxed);
  std::error_code ignored;
  const auto size = std::filesystem::file_size(path_, ignored);
  if (!ignored && size > 0) batch_.end_foreign_line();
}

}  // namespace

struct LineSink::Parts {
  Parts(std::shared_ptr<Target> where, std::size_t lines_max,
        const std::function<void()>& on_thread_start)
      : target{std::move(where)},
        queue_lines{lines_max},
        pool{std::make_shared<spdlog::details::thread_pool>(
            lines_max, 1, on_thread_start ? on_thread_start : [] {})},
        logger{std::make_shared<spdlog::async_logger>(
            std::string{}, target, pool, spdlog::async_overflow_policy::overrun_oldest)} {
    target->watch(*pool);
    logger->set_level(spdlog::level::trace);
    set_pattern("%v");
  }
  // The thread goes before the logger: a line in its queue holds the logger as well, and who lets
  // go last destroys it.
  ~Parts() { pool.reset(); }
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  void set_pattern(const std::string& pattern) {
    target->set_formatter(
        std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc, "\n"));
  }

  const std::shared_ptr<Target> target;
  const std::size_t queue_lines;
  std::shared_ptr<spdlog::details::thread_pool> pool;
  const std::shared_ptr<spdlog::async_logger> logger;
  std::uint64_t submitted = 0;
};

LineSink::LineSink(std::unique_ptr<Parts> parts) : parts_{std::move(parts)} {}
LineSink::~LineSink() = default;

LineSink::Opened LineSink::open(const std::string& target, std::size_t queue_lines,
                                const std::function<void()>& on_thread_start) {
  auto opened = Target::open(target);
  if (!opened) return opened.error();
  return std::unique_ptr<LineSink>{
      new LineSink{std::make_unique<Parts>(std::move(*opened), queue_lines, on_thread_start)}};
}

void LineSink::use_pattern(const std::string& pattern, bool colour) {
  parts_->set_pattern(pattern);
  if (colour) parts_->target->use_colour();
}

void LineSink::write(std::string_view line) {
  write(Severity::info, line);
}

void LineSink::write(Severity severity, std::string_view line) {
  static constexpr std::array levels{spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                     spdlog::level::err};
  ++parts_->submitted;
  parts_->logger->log(levels[static_cast<std::size_t>(severity)], line);
}

std::uint64_t LineSink::dropped() const {
  return parts_->pool->overrun_counter() + parts_->target->failed();
}

bool LineSink::flush(base::Duration patience) {
  // An overrun is known only after the line that caused it is in the queue: `submitted` is final.
  return parts_->target->wait(patience, [&](std::uint64_t finished) {
    return finished + parts_->pool->overrun_counter() >= parts_->submitted;
  });
}

bool LineSink::reopen() {
  if (!parts_->target->is_file()) return false;
  parts_->target->ask_to_reopen();
  // Lines that wait do it as they come. A word for an idle thread takes the place of none of them.
  if (parts_->pool->queue_size() < parts_->queue_lines / 2) parts_->logger->flush();
  return true;
}

std::string LineSink::take_error() {
  return parts_->target->take_error();
}

}  // namespace penstock::logging
