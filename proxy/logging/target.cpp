#include "logging/target.hpp"

#include <spdlog/async_logger.h>  // thread_pool.h does not compile without it
#include <spdlog/details/thread_pool.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

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

}  // namespace

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

}  // namespace penstock::logging
