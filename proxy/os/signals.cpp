#include "os/signals.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string_view>

#include "os/last_words.hpp"

namespace penstock::os {

namespace {

struct Steering {
  int number;
  std::string_view name;
};
constexpr Steering steering_signals[]{{SIGTERM, "SIGTERM"},
                                      {SIGINT, "SIGINT"},
                                      {SIGHUP, "SIGHUP"},
                                      {SIGUSR1, "SIGUSR1"},
                                      {SIGUSR2, "SIGUSR2"}};

sigset_t steering_set() noexcept {
  sigset_t set;
  ::sigemptyset(&set);
  for (const Steering& signal : steering_signals) ::sigaddset(&set, signal.number);
  return set;
}

void change_mask(int how) noexcept {
  const sigset_t set = steering_set();
  ::pthread_sigmask(how, &set, nullptr);
}

void obey_at_once(int number) noexcept {
  const int error = errno;  // of the call that was interrupted
  std::string_view name;
  for (const Steering& signal : steering_signals)
    if (signal.number == number) name = signal.name;
  const bool ends = number == SIGTERM || number == SIGINT;
  LastWords line;
  line << "penstock: " << name << " while the configuration is read: "
       << (ends ? "it ends, nothing was opened yet\n" : "ignored, nothing runs yet\n");
  line.write_out();
  if (ends) ::_exit(0);
  errno = error;
}

}  // namespace

void hold_signals() noexcept {
  change_mask(SIG_BLOCK);
}

void release_signals() noexcept {
  change_mask(SIG_UNBLOCK);
}

SignalsWhileReading::SignalsWhileReading() noexcept {
  struct sigaction action {};
  action.sa_handler = obey_at_once;
  action.sa_mask = steering_set();
  action.sa_flags = SA_RESTART;
  for (const Steering& signal : steering_signals) ::sigaction(signal.number, &action, nullptr);
  release_signals();
}

// From here on the handler is not called any more: what is held is only ever read.
SignalsWhileReading::~SignalsWhileReading() {
  hold_signals();
}

base::Result<SignalQueue> SignalQueue::open() noexcept {
  const sigset_t set = steering_set();
  Fd queue{::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC)};
  if (!queue) return base::error_from(errno);
  return SignalQueue{std::move(queue)};
}

std::optional<int> SignalQueue::take() const noexcept {
  signalfd_siginfo info{};
  ssize_t bytes = 0;
  do bytes = ::read(queue_.get(), &info, sizeof info);
  while (bytes < 0 && errno == EINTR);
  if (bytes != sizeof info) return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

}  // namespace penstock::os
