#include "e2e/name_server.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "e2e/address.hpp"
#include "e2e/network.hpp"
#include "e2e/servers.hpp"

namespace penstock::e2e {

namespace {
const std::string address = "127.0.0.1:53";
}

bool no_name_server() {
  return skip_unless(network_is_ours(), "no network of our own, so no right to its port 53") ||
         skip_without({"dnsmasq"});
}

NameServer::NameServer(const std::string& hosts, std::vector<std::string> words)
    : words_{std::move(words)} {
  folder_.write("hosts", hosts);
  start();
}

void NameServer::start() {
  std::vector<std::string> command{"dnsmasq",
                                   "--keep-in-foreground",
                                   "--conf-file=/dev/null",
                                   "--user=root",
                                   "--group=root",
                                   "--pid-file=" + folder_.path("pid"),
                                   "--log-facility=-",
                                   "--no-resolv",
                                   "--no-hosts",
                                   "--listen-address=127.0.0.1",
                                   "--bind-interfaces",
                                   "--local=/test/",
                                   "--addn-hosts=" + folder_.path("hosts")};
  command.insert(command.end(), words_.begin(), words_.end());
  program_ = std::make_unique<Program>(command);
  wait_until_reachable(address);
}

// It reads its files again when it is told to.
void NameServer::change_to(const std::string& hosts) {
  folder_.write("hosts", hosts);
  program_->signal(SIGHUP);
}

void NameServer::kill() {
  program_->signal(SIGKILL);
  program_->wait();
}

FailingNameServer::FailingNameServer() {
  const NativeAddress native = to_native(address);
  socket_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (::bind(socket_, native.get(), native.length) != 0) fail_with_errno("bind to " + address);
  thread_ = std::thread{[this] {
    pollfd waited{.fd = socket_, .events = POLLIN, .revents = 0};
    while (!stopping_)
      if (::poll(&waited, 1, 10) > 0) answer();
  }};
}

FailingNameServer::~FailingNameServer() {
  stopping_ = true;
  thread_.join();
  ::close(socket_);
}

// The question itself, as an answer (QR) with the code 2 (RFC 1035, 4.1.1).
void FailingNameServer::answer() {
  std::array<char, 512> message{};
  NativeAddress from;
  from.length = sizeof from.storage;
  const auto bytes = ::recvfrom(socket_, message.data(), message.size(), 0,
                                reinterpret_cast<sockaddr*>(&from.storage), &from.length);
  if (bytes < 12) return;
  message[2] = static_cast<char>(message[2] | '\x80');
  message[3] = '\x02';
  ::sendto(socket_, message.data(), static_cast<std::size_t>(bytes), 0, from.get(), from.length);
}

}  // namespace penstock::e2e
