#include "net.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace penstock::bench {

namespace {

sockaddr_in any_address(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  return address;
}

template <class Visit>
void for_each_process(const std::string& process_ids, Visit&& visit) {
  std::istringstream list{process_ids};
  for (std::string id; std::getline(list, id, ',');) visit("/proc/" + id);
}

}  // namespace

void die(const std::string& what) {
  std::fprintf(stderr, "load: %s: %s\n", what.c_str(), std::strerror(errno));
  std::exit(1);
}

int listen_on(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const sockaddr_in address = any_address(port);
  if (::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) die("bind");
  if (::listen(socket, 4096) != 0) die("listen");
  return socket;
}

std::uint16_t port_of(int socket) {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length);
  return ntohs(address.sin_port);
}

int connect_to(const Target& target, std::size_t number) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) die("socket");
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(target.port + number % target.ports));
  if (::inet_pton(AF_INET, target.address.c_str(), &address.sin_addr) != 1) die(target.address);
  const int connected =
      ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (connected != 0 && errno != EINPROGRESS) die("connect");
  return socket;
}

int accept_from(int listener) {
  return ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int new_epoll() {
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) die("epoll_create1");
  return epoll;
}

void watch(int epoll, int socket, std::uint64_t token) {
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.u64 = token}};
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event) != 0) die("epoll_ctl");
}

double cpu_seconds_of(const std::string& process_ids, const std::string& threads) {
  double nanoseconds = 0;
  for_each_process(process_ids, [&](const std::string& process) {
    for (const auto& task : std::filesystem::directory_iterator{process + "/task"}) {
      std::string name;
      std::ifstream{task.path() / "comm"} >> name;
      if (!name.starts_with(threads)) continue;
      double used = 0;
      std::ifstream{task.path() / "schedstat"} >> used;  // on the CPU, in nanoseconds
      nanoseconds += used;
    }
  });
  return nanoseconds * 1e-9;
}

double cpu_seconds_of_machine() {
  std::ifstream file{"/proc/stat"};
  std::string name;
  file >> name;
  double busy = 0;
  double value = 0;
  // user nice system idle iowait irq softirq
  for (int column = 0; column < 7 && file >> value; ++column)
    if (column != 3 && column != 4) busy += value;
  return busy / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::uint64_t resident_bytes_of(const std::string& process_ids) {
  std::uint64_t pages = 0;
  for_each_process(process_ids, [&](const std::string& process) {
    std::uint64_t total = 0;
    std::uint64_t resident = 0;
    std::ifstream{process + "/statm"} >> total >> resident;
    pages += resident;
  });
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace penstock::bench
