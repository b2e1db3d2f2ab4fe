#include "base/log.hpp"

#include <spdlog/async_logger.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <stdexcept>

#include "base/line_batch.hpp"
#include "base/text.hpp"

namespace penstock::base {

namespace {

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

// Where the lines end. Its sink_it_() runs on the queue's thread, and may block there; everything
// that the control thread asks it is an atomic or stands under a mutex that is never held
// meanwhile.
class Target final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  Target(std::FILE* file, std::string path) : file_{file}, path_{std::move(path)} {}
  ~Target() override {
    settle();
    if (!path_.empty()) std::fclose(file_);
  }

  bool is_file() const noexcept { return !path_.empty(); }

  void use_colour() noexcept { colour_ = true; }
  void end_foreign_line() { batch_.end_foreign_line(); }
  void watch(spdlog::details::thread_pool& pool) noexcept { pool_ = &pool; }
  void ask_to_reopen() noexcept { reopen_asked_.store(true, std::memory_order_relaxed); }
  std::uint64_t failed() const noexcept { return failed_.load(std::memory_order_relaxed); }

  template <class Done>
  bool wait(Duration patience, Done&& done) {
    std::unique_lock lock{mutex_of_progress_};
    return progress_.wait_for(lock, patience, [&] { return done(finished_); });
  }
  std::string take_error() {
    const std::scoped_lock lock{mutex_of_progress_};
    return std::exchange(error_, {});
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    reopen_where_asked();
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    put(message, {line.data(), line.size()});
    ++unsettled_;
    // One write for as many lines as are waiting, and none is held back while nothing comes.
    if (pool_->queue_size() == 0 || unsettled_ >= lines_per_write) settle();
  }
  void flush_() override {
    reopen_where_asked();
    settle();
  }

 private:
  static constexpr std::uint64_t lines_per_write = 64;

  void put(const spdlog::details::log_msg& message, std::string_view line) {
    if (!colour_ || message.color_range_end <= message.color_range_start) return batch_.add(line);
    std::string coloured{line};
    coloured.insert(message.color_range_end, "\x1b[0m");
    coloured.insert(message.color_range_start, colour_of(message.level));
    batch_.add(coloured);
  }

  void settle() {
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

  void reopen_where_asked() {
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
  void leave_rest_behind() {
    if (!batch_.owes_rest()) return;
    failed_.fetch_add(batch_.give_up_rest(), std::memory_order_relaxed);
    std::error_code ignored;
    const auto size = std::filesystem::file_size(path_, ignored);
    if (!ignored && size > 0) batch_.end_foreign_line();
  }

  std::string shown_path() const { return path_.empty() ? "on a standard stream" : path_; }

  std::FILE* file_;
  const std::string path_;  // empty for a standard stream
  bool colour_ = false;
  spdlog::details::thread_pool* pool_ = nullptr;  // it outlives every line
  LineBatch batch_;
  std::uint64_t unsettled_ = 0;  // lines that came since the last write
  std::atomic<bool> reopen_asked_{false};
  std::atomic<std::uint64_t> failed_{0};
  std::mutex mutex_of_progress_;
  std::condition_variable progress_;
  std::uint64_t finished_ = 0;  // lines that were written, begun or refused
  std::string error_;
};

// One character of a JSON string that may need an escape; its bytes.
std::size_t append_escaped(std::string& out, std::string_view text) {
  static constexpr std::string_view digits = "0123456789abcdef";
  const std::size_t length = utf8_length(text);
  const std::string_view one = text.substr(0, std::max<std::size_t>(1, length));
  if (one == "\"" || one == "\\") {
    out += {'\\', one.front()};
  } else if (is_plain_text(one)) {
    out += one;
  } else {
    // The code of a control character is its last byte.
    const auto byte = static_cast<unsigned char>(one.back());
    out += length == 0 ? "\\\\x" : "\\u00";
    out += {digits[byte >> 4], digits[byte & 15]};
  }
  return one.size();
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
  const bool standard = target == "stdout" || target == "stderr";
  const bool is_torn = !standard && ends_within_a_line(target);
  std::FILE* const file =
      standard ? without_buffer(target == "stdout" ? stdout : stderr) : open_file(target);
  if (file == nullptr) return sentence("open", target, errno);
  auto where = std::make_shared<Target>(file, standard ? std::string{} : target);
  if (is_torn) where->end_foreign_line();
  return std::unique_ptr<LineSink>{
      new LineSink{std::make_unique<Parts>(std::move(where), queue_lines, on_thread_start)}};
}

void LineSink::write(std::string_view line) {
  ++parts_->submitted;
  parts_->logger->log(spdlog::level::info, line);
}

std::uint64_t LineSink::dropped() const {
  return parts_->pool->overrun_counter() + parts_->target->failed();
}

bool LineSink::flush(Duration patience) {
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

Log::Log(const Options& options) : Log{options, "stderr"} {}

Log::Log(const Options& options, const std::string& target) : options_{options} {
  auto opened = LineSink::open(target, 1024, options.on_thread_start);
  if (!opened) throw std::runtime_error{opened.error()};
  sink_ = std::move(*opened);
  sink_->parts_->set_pattern(options.json
                                 ? R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l","message":%v})"
                                 : "%Y-%m-%dT%H:%M:%S.%fZ %^%l%$ %v");
  if (options.colour && !options.json) sink_->parts_->target->use_colour();
}

void Log::write(Severity severity, std::string_view message) {
  static constexpr std::array levels{spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                     spdlog::level::err};
  if (severity < options_.level) return;
  // Words of a name server, an endpoint or a file may be among it: a line stays one line.
  std::string shown;
  if (options_.json)
    append_json_string(shown, message);
  else if (!is_plain_text(message))
    shown = printable(message);
  ++sink_->parts_->submitted;
  sink_->parts_->logger->log(levels[static_cast<std::size_t>(severity)],
                             shown.empty() ? message : std::string_view{shown});
}

void append_json_string(std::string& out, std::string_view text) {
  const auto stays = [](char c) { return c >= ' ' && c < 0x7f && c != '"' && c != '\\'; };
  out += '"';
  while (!text.empty()) {
    const auto* const end = std::find_if_not(text.begin(), text.end(), stays);
    out.append(text.begin(), end);
    text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
    if (!text.empty()) text.remove_prefix(append_escaped(out, text));
  }
  out += '"';
}

}  // namespace penstock::base
