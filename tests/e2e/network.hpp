#pragma once
// Where the tests run: a network namespace of their own where the right is there, so that ports,
// sysctls and packet filters are theirs alone; else the loopback of the host, as it is.
//
// Thread   enter_own_network() before the first other thread; the rest anywhere.

#include <string>
#include <vector>

namespace penstock::e2e {

// Says on stderr where it could not. Congestion control there is cubic, or reno where cubic is
// reserved to the host: the host's own may pace, and loopback tests would wait for nothing.
void enter_own_network();
bool network_is_ours();

// "127.0.0.1:PORT" and "[::1]:PORT" with a port that nobody is bound to. Ports are given out once
// per run, from below the range from which the kernel takes those of clients.
std::string free_address();
std::string free_v6_address();
std::string port_of(const std::string& address);

// A sysctl of our own namespace for the life of this object.
// REQUIRES: network_is_ours().
class NetworkSetting {
 public:
  NetworkSetting(const std::string& name, const std::string& value);  // name as in net/ipv4/...
  NetworkSetting(const NetworkSetting&) = delete;
  NetworkSetting& operator=(const NetworkSetting&) = delete;
  ~NetworkSetting();

 private:
  const std::string path_;
  std::string before_;
};

// A rule of iptables(8), as it is written behind -I, for the life of this object. REQUIRES:
// can_drop_packets().
//
//   const PacketRule closed{"INPUT -p tcp --dport 9000 --syn -j REJECT --reject-with tcp-reset"};
bool can_drop_packets();
class PacketRule {
 public:
  explicit PacketRule(const std::string& rule);
  PacketRule(const PacketRule&) = delete;
  PacketRule& operator=(const PacketRule&) = delete;
  ~PacketRule();

  std::size_t packets() const;  // that it met so far

 private:
  int change(const char* verb) const;

  const std::string chain_;
  std::vector<std::string> words_;
};

// Drops every packet to one TCP port of ours for the life of this object: whoever is there has
// vanished. REQUIRES: can_drop_packets().
class Vanished {
 public:
  explicit Vanished(const std::string& port) : rule_{"INPUT -p tcp --dport " + port + " -j DROP"} {}

 private:
  const PacketRule rule_;
};

}  // namespace penstock::e2e
