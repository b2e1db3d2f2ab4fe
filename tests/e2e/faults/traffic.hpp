#pragma once
// Short exchanges without end, beside whatever the test does: connect, a small request, its echo,
// FIN. Each is timed and compared.
//
// Owner    the test; ends with it. Thread: start and finish the test's; the talkers have their own.

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace penstock::e2e {

struct TrafficReport {
  std::size_t exchanges = 0;
  std::size_t failures = 0;            // reset, cut, or other bytes than were sent
  std::string first_failure{};         // its sentence
  std::vector<double> milliseconds{};  // of each exchange, from connect() to FIN
};

class Traffic {
 public:
  struct Options {
    std::size_t talkers = 4;
    std::size_t resets = 0;  // one in so many is given up by RST, and not counted; 0 = none
  };
  // `proxy` leads to somebody who echoes. `talkers` threads, each with one exchange after another.
  Traffic(std::string proxy, Options options);
  explicit Traffic(std::string proxy) : Traffic{std::move(proxy), Options{}} {}
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;
  ~Traffic();

  std::size_t exchanges() const noexcept { return exchanges_; }
  // Waits for so many more. Errors: Failure, where that takes more than a minute.
  void wait_for(std::size_t more) const;
  TrafficReport finish();

 private:
  void talk(std::size_t talker);
  bool exchange_once(std::size_t number, std::size_t talker);

  const std::string proxy_;
  const Options options_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::size_t> exchanges_{0};
  std::mutex mutex_;
  TrafficReport report_;
  std::vector<std::thread> threads_;
};

// The figures of so many exchanges.
TrafficReport measure_traffic(const std::string& proxy, std::size_t exchanges);

}  // namespace penstock::e2e
