#include "control/signals.hpp"

#include <csignal>

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

}  // namespace

Signals::Signals(boost::asio::io_context& io) : set_{io} {
  for (const Meaning& meaning : meanings) set_.add(meaning.number);
}

void Signals::listen(std::function<void(Signal, const char*)> handler) {
  handler_ = std::move(handler);
  wait();
}

void Signals::stop_listening() {
  set_.cancel();
}

void Signals::wait() {
  set_.async_wait([this](const boost::system::error_code& error, int number) {
    if (error) return;
    for (const Meaning& meaning : meanings)
      if (meaning.number == number) handler_(meaning.signal, meaning.name);
    wait();
  });
}

}  // namespace penstock::control
