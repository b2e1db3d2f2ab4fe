#include "e2e/faults/traffic.hpp"

#include "e2e/payload.hpp"
#include "e2e/peer.hpp"

namespace penstock::e2e {

Traffic::Traffic(std::string proxy, Options options) : proxy_{std::move(proxy)}, options_{options} {
  for (std::size_t i = 0; i < options_.talkers; ++i) threads_.emplace_back([this, i] { talk(i); });
}

Traffic::~Traffic() {
  finish();
}

void Traffic::wait_for(std::size_t more) const {
  const std::size_t goal = exchanges_ + more;
  wait_until(
      std::to_string(more) + " exchanges more", [&] { return exchanges_ >= goal; }, 60s);
}

TrafficReport Traffic::finish() {
  stopping_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  report_.exchanges = exchanges_;
  return report_;
}

void Traffic::talk(std::size_t talker) {
  for (std::size_t number = 1; !stopping_; ++number) {
    const auto begun = Clock::now();
    std::string failure;
    try {
      if (!exchange_once(number, talker)) continue;
    } catch (const Failure& caught) {
      failure = caught.what();
    }
    const std::chrono::duration<double, std::milli> took = Clock::now() - begun;
    const std::lock_guard lock{mutex_};
    report_.milliseconds.push_back(took.count());
    ++exchanges_;
    if (failure.empty()) continue;
    if (++report_.failures == 1) report_.first_failure = failure;
  }
}

// False where it was given up.
bool Traffic::exchange_once(std::size_t number, std::size_t talker) {
  const std::string_view bytes = payload(number * options_.talkers + talker, 700);
  Peer client = Peer::connect(proxy_);
  client.send(bytes);
  if (options_.resets != 0 && number % options_.resets == 0) {
    client.reset();
    return false;
  }
  client.finish_sending();
  if (client.read_to_end() != bytes) throw Failure{"other bytes came than were sent"};
  return true;
}

TrafficReport measure_traffic(const std::string& proxy, std::size_t exchanges) {
  Traffic traffic{proxy};
  traffic.wait_for(exchanges);
  return traffic.finish();
}

}  // namespace penstock::e2e
