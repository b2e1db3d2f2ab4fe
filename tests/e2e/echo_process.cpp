#include "e2e/echo_process.hpp"

#include <poll.h>

#include <csignal>
#include <vector>

#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/servers.hpp"

namespace penstock::e2e {

EchoProcess::EchoProcess() : address_{free_address()} {
  start();
}

void EchoProcess::start() {
  program_ =
      std::make_unique<Program>(std::vector<std::string>{"/proc/self/exe", echo_word, address_});
  wait_until_reachable(address_);
}

void EchoProcess::kill() {
  program_->signal(SIGKILL);
  program_->wait();
}

namespace {

// False where the connection is over.
bool echo_once(Peer& peer) {
  std::string bytes;
  try {
    const Ending ending = receive_now(peer.descriptor(), bytes);
    peer.send(bytes);
    return ending == Ending::open;
  } catch (const Failure&) {
    return false;
  }
}

}  // namespace

int serve_echo(const std::string& address) {
  Origin origin{address};
  std::vector<Peer> peers;
  for (;;) {
    std::vector<pollfd> waited{{.fd = origin.descriptor(), .events = POLLIN, .revents = 0}};
    for (const Peer& peer : peers)
      waited.push_back({.fd = peer.descriptor(), .events = POLLIN, .revents = 0});
    if (::poll(waited.data(), waited.size(), -1) < 0) return 1;
    for (std::size_t i = peers.size(); i > 0; --i)
      if (waited[i].revents != 0 && !echo_once(peers[i - 1]))
        peers.erase(peers.begin() + static_cast<std::ptrdiff_t>(i - 1));
    if (waited[0].revents != 0) peers.push_back(origin.accept());
  }
}

}  // namespace penstock::e2e
