#include "logging/line_sink.hpp"

#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/pattern_formatter.h>

#include <array>

#include "logging/target.hpp"

namespace penstock::logging {

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
