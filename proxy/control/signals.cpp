#include "control/signals.hpp"

#include <boost/system/system_error.hpp>
#include <csignal>
#include <utility>

namespace penstock::control {

namespace {

struct Meaning {
  int number;
  Signal signal;
  const char* name;
};
constexpr Meaning meanings[]{
    {SIGTERM, Signal::stop, "SIGTERM"},    {SIGINT, Signal::stop, "SIGINT"},
    {SIGHUP, Signal::reload, "SIGHUP"},    {SIGUSR1, Signal::reopen_logs, "SIGUSR1"},
    {SIGUSR2, Signal::upgrade, "SIGUSR2"},
};

os::SignalQueue open_queue() {
  auto queue = os::SignalQueue::open();
  if (!queue) throw boost::system::system_error{queue.error(), "signalfd"};
  return std::move(*queue);
}

}  // namespace

Signals::Signals(boost::asio::io_context& io) : queue_{open_queue()}, watch_{io} {
  if (const auto refused = watch_.open(queue_.descriptor()); refused)
    throw boost::system::system_error{refused, "epoll"};
}

void Signals::listen(std::function<void(Signal, const char*)> handler) {
  handler_ = std::move(handler);
  wait();
}

void Signals::wait() {
  watch_.wait([this] {
    take_all();
    wait();
  });
}

void Signals::take_all() {
  while (const auto number = queue_.take())
    for (const Meaning& meaning : meanings)
      if (meaning.number == *number) handler_(meaning.signal, meaning.name);
}

}  // namespace penstock::control
