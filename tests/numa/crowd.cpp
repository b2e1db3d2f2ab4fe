// A crowd of clients for the guest: waves of connections that are all open at the same time.
//
//   numa_crowd SOURCE ADDRESS PORT CONNECTIONS AT_ONCE
//
// Each asks for / and has to get "near or far". Exit code 1, with the reason, where one does not.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "%s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

sockaddr_in endpoint(const char* address, int port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(static_cast<std::uint16_t>(port));
  if (::inet_pton(AF_INET, address, &result.sin_addr) != 1) std::exit(2);
  return result;
}

int open_one(const sockaddr_in& source, const sockaddr_in& address) {
  const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (client < 0) fail("socket");
  if (::bind(client, reinterpret_cast<const sockaddr*>(&source), sizeof source) != 0) fail("bind");
  if (::connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    fail("connect");
  return client;
}

void ask(int client) {
  static constexpr char request[] = "GET / HTTP/1.1\r\nHost: guest\r\n\r\n";
  if (::send(client, request, sizeof request - 1, MSG_NOSIGNAL) < 0) fail("send");
}

void hear(int client) {
  std::string answer;
  while (answer.find("near or far") == std::string::npos) {
    char part[4096];
    const ssize_t count = ::recv(client, part, sizeof part, 0);
    if (count <= 0) fail("recv, before the answer was whole");
    answer.append(part, static_cast<std::size_t>(count));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  const sockaddr_in source = endpoint(argv[1], 0);
  const sockaddr_in address = endpoint(argv[2], std::atoi(argv[3]));
  const int connections = std::atoi(argv[4]);
  const auto at_once = static_cast<std::size_t>(std::atoi(argv[5]));
  for (int done = 0; done < connections; done += static_cast<int>(at_once)) {
    std::vector<int> clients;
    while (clients.size() < at_once) clients.push_back(open_one(source, address));
    for (const int client : clients) ask(client);
    for (const int client : clients) hear(client);
    for (const int client : clients) ::close(client);
  }
  return 0;
}
