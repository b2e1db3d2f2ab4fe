#include "control/signals.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
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

}  // namespace

struct Signals::Set {
  explicit Set(boost::asio::io_context& io) : signals{io} {}
  boost::asio::signal_set signals;
};

Signals::Signals(boost::asio::io_context& io) : set_{std::make_unique<Set>(io)} {
  for (const Meaning& meaning : meanings) set_->signals.add(meaning.number);
}

Signals::~Signals() = default;

void Signals::listen(std::function<void(Signal, const char*)> handler) {
  handler_ = std::move(handler);
  wait();
}

void Signals::stop_listening() {
  set_->signals.cancel();
}

void Signals::wait() {
  set_->signals.async_wait([this](const boost::system::error_code& error, int number) {
    if (error) return;
    for (const Meaning& meaning : meanings)
      if (meaning.number == number) handler_(meaning.signal, meaning.name);
    wait();
  });
}

}  // namespace penstock::control
