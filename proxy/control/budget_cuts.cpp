// What the kernel cuts without a word: listen(2) and setsockopt(2) succeed all the same.

#include <fmt/core.h>

#include <algorithm>

#include "control/budget.hpp"
#include "control/config_scalars.hpp"

namespace penstock::control {

namespace {

// One key with all listeners that ask for too much, and for how much at most.
class Cut {
 public:
  Cut(std::string_view key, std::string_view limit_name, std::uint64_t limit, bool is_bytes)
      : key_{key}, limit_name_{limit_name}, limit_{limit}, is_bytes_{is_bytes} {}

  void look(const std::string& listener, std::uint64_t asked) {
    if (limit_ == 0 || asked <= limit_) return;
    most_ = std::max(most_, asked);
    if (++listeners_ == 1) first_ = listener;
  }

  void tell(std::vector<std::string>& sentences) const {
    if (listeners_ == 0) return;
    const std::string others = listeners_ == 1 ? std::string{}
                                               : fmt::format(" and {} other{}", listeners_ - 1,
                                                             listeners_ == 2 ? "" : "s");
    sentences.push_back(fmt::format(
        "{} of listener {}{} is {}, but the kernel cuts it to {}: raise net.core.{} to at least {} "
        "(sysctl, --sysctl of a container) or ask for less",
        key_, first_, others, shown(most_), shown(limit_), limit_name_, most_));
  }

 private:
  std::string shown(std::uint64_t value) const {
    return is_bytes_ ? size_text(value) : std::to_string(value);
  }

  std::string_view key_;
  std::string_view limit_name_;
  std::uint64_t limit_;
  bool is_bytes_;
  std::uint64_t most_ = 0;
  std::size_t listeners_ = 0;
  std::string first_;
};

}  // namespace

std::vector<std::string> kernel_cuts(const runtime::ServerSpec& spec,
                                     const os::SocketLimits& limits) {
  Cut backlog{"backlog", "somaxconn", limits.accept_queue_max, false};
  Cut receive{"receive_buffer", "rmem_max", limits.receive_buffer_bytes_max, true};
  Cut send{"send_buffer", "wmem_max", limits.send_buffer_bytes_max, true};
  for (const runtime::ListenerSpec& listener : spec.listeners) {
    const session::ListenerOptions& session = listener.session;
    backlog.look(session.name, static_cast<std::uint64_t>(listener.listen.backlog));
    receive.look(session.name, session.socket.receive_buffer);
    send.look(session.name, session.socket.send_buffer);
  }
  std::vector<std::string> sentences;
  for (const Cut* cut : {&backlog, &receive, &send}) cut->tell(sentences);
  return sentences;
}

}  // namespace penstock::control
