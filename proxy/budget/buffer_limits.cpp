#include "budget/buffer_limits.hpp"

#include <fmt/core.h>

#include <map>

#include "os/socket_buffers.hpp"

namespace penstock::budget {

namespace {

// Names of listeners by the bytes that they ask for.
using Askers = std::map<std::size_t, std::vector<std::string>>;

std::string named(const std::vector<std::string>& listeners) {
  if (listeners.size() == 1) return "listener " + listeners.front();
  return fmt::format("listener {} and {} more", listeners.front(), listeners.size() - 1);
}

void add_sentences(const Askers& askers, const char* key, const char* limit,
                   std::size_t os::SocketBuffers::*which, std::vector<std::string>& sentences) {
  for (const auto& [asked, listeners] : askers) {
    os::SocketBuffers buffers;
    buffers.*which = asked;
    const std::size_t granted = os::granted_buffers(buffers).*which;
    if (granted >= asked) continue;
    sentences.push_back(fmt::format(
        "{} of {} is {} bytes, but the kernel grants {}: raise {} to {} (sysctl), or ask for less; "
        "0 leaves the size to the kernel, which goes further by itself",
        key, named(listeners), asked, granted, limit, asked));
  }
}

}  // namespace

std::vector<std::string> buffers_that_are_cut(const std::vector<runtime::ListenerSpec>& listeners) {
  Askers receivers;
  Askers senders;
  for (const runtime::ListenerSpec& listener : listeners) {
    receivers[listener.session.socket.receive_buffer].push_back(listener.session.name);
    senders[listener.session.socket.send_buffer].push_back(listener.session.name);
  }
  std::vector<std::string> sentences;
  add_sentences(receivers, "receive_buffer", "net.core.rmem_max", &os::SocketBuffers::receive,
                sentences);
  add_sentences(senders, "send_buffer", "net.core.wmem_max", &os::SocketBuffers::send, sentences);
  return sentences;
}

}  // namespace penstock::budget
