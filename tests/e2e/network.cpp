#include "e2e/network.hpp"

#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>
#include <utility>

#include "e2e/program.hpp"
#include "e2e/waiting.hpp"

namespace penstock::e2e {

namespace {

const std::string sysctls = "/proc/sys/";

std::string first_line(const std::string& path) {
  std::ifstream file{path};
  std::string line;
  std::getline(file, line);
  return line;
}

bool write_line(const std::string& path, const std::string& value) {
  std::ofstream file{path};
  file << value << std::flush;
  return file.good();
}

bool bring_loopback_up() {
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  const bool up = ::ioctl(socket, SIOCSIFFLAGS, &request) == 0;
  ::close(socket);
  return up;
}

std::atomic<bool>& ours() {
  static std::atomic<bool> value{false};
  return value;
}

bool can_bind(int port) {
  const int socket = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 address{};  // [::] and 0.0.0.0 at once
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(static_cast<std::uint16_t>(port));
  const bool bound =
      ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(socket);
  return bound;
}

// Runs that share the host's loopback begin at different places.
std::string free_port() {
  constexpr int first = 10'000;
  constexpr int count = 20'000;
  static std::atomic<int> next{network_is_ours() ? 0 : ::getpid() * 101 % count};
  for (int tries = 0; tries < count; ++tries) {
    const int port = first + next.fetch_add(1) % count;
    if (can_bind(port)) return std::to_string(port);
  }
  throw Failure{"no port is free"};
}

void set_congestion_control() {
  const std::string path = sysctls + "net/ipv4/tcp_congestion_control";
  if (!write_line(path, "cubic")) write_line(path, "reno");
}

}  // namespace

void enter_own_network() {
  if (::unshare(CLONE_NEWNET) != 0 || !bring_loopback_up()) {
    std::cerr << "no right to a network namespace: the tests use the loopback of the host\n";
    return;
  }
  ours() = true;
  set_congestion_control();
}

bool network_is_ours() {
  return ours();
}

std::string free_address() {
  return "127.0.0.1:" + free_port();
}
std::string free_v6_address() {
  return "[::1]:" + free_port();
}
std::string port_of(const std::string& address) {
  return address.substr(address.rfind(':') + 1);
}

NetworkSetting::NetworkSetting(const std::string& name, const std::string& value)
    : path_{sysctls + name}, before_{first_line(path_)} {
  if (!network_is_ours()) throw Failure{"settings of the host are not ours to change"};
  if (!write_line(path_, value)) throw Failure{"cannot set " + name};
}

NetworkSetting::~NetworkSetting() {
  write_line(path_, before_);
}

bool can_drop_packets() {
  return network_is_ours() && has_program("iptables") &&
         run_program({"iptables", "-w", "-L", "INPUT"}).exit_code == 0;
}

// The comment tells this rule from any other one.
PacketRule::PacketRule(const std::string& rule) : chain_{rule.substr(0, rule.find(' '))} {
  static std::atomic<int> next{0};
  std::istringstream stream{rule + " -m comment --comment rule-" + std::to_string(next++) + "."};
  for (std::string word; stream >> word;) words_.push_back(word);
  if (change("-I") != 0) throw Failure{"iptables refuses the rule: " + rule};
}

PacketRule::~PacketRule() {
  change("-D");
}

int PacketRule::change(const char* verb) const {
  std::vector<std::string> command{"iptables", "-w", verb};
  command.insert(command.end(), words_.begin(), words_.end());
  return run_program(std::move(command)).exit_code;
}

std::size_t PacketRule::packets() const {
  std::istringstream table{run_program({"iptables", "-w", "-vnxL", chain_}).output};
  for (std::string line; std::getline(table, line);)
    if (line.find(words_.back()) != line.npos) return std::stoul(line);
  return 0;
}

}  // namespace penstock::e2e
