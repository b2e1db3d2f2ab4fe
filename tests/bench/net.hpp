#pragma once
// What the load tool needs of the network: blocking to set up, non-blocking to run. Errors end the
// program with a sentence: a benchmark that lost a connection measures nothing.

#include <sys/epoll.h>

#include <chrono>
#include <cstdint>
#include <string>

namespace penstock::bench {

using Clock = std::chrono::steady_clock;

[[noreturn]] void die(const std::string& what);

// On every address. A non-blocking listener of port 0 gets one of the kernel's choice.
int listen_on(std::uint16_t port);
std::uint16_t port_of(int socket);
struct Target {
  std::uint16_t port = 0;
  std::string address = "127.0.0.1";
  std::uint16_t ports = 1;  // in a row; connections take turns
};
// Starts to connect; the socket is non-blocking and has TCP_NODELAY. `number` is the connection's.
int connect_to(const Target& target, std::size_t number = 0);
int accept_from(int listener);                           // -1 where nobody waits
void watch(int epoll, int socket, std::uint64_t token);  // in and out, edge-triggered
int new_epoll();

// CPU seconds that threads of these processes have used so far.
double cpu_seconds_of(const std::string& process_ids,    // "12,34"
                      const std::string& threads = {});  // those named so; all
// CPU seconds that the machine was not idle.
double cpu_seconds_of_machine();
// Resident bytes of these processes.
std::uint64_t resident_bytes_of(const std::string& process_ids);

}  // namespace penstock::bench
