// A crowd of clients for the guest: waves of connections that are all open at the same time.
//
//   numa_crowd ADDRESS PORT CONNECTIONS AT_ONCE
//
// Each asks for / and has to get "near or far". Exit code 1, with the reason, where one does not.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
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

int open_one(const sockaddr_in& address) {
  const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (client < 0) fail("socket");
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
  if (argc != 5) return 2;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[2])));
  if (::inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) return 2;
  const int connections = std::atoi(argv[3]);
  const auto at_once = static_cast<std::size_t>(std::atoi(argv[4]));
  for (int done = 0; done < connections; done += static_cast<int>(at_once)) {
    std::vector<int> clients;
    while (clients.size() < at_once) clients.push_back(open_one(address));
    for (const int client : clients) ask(client);
    for (const int client : clients) hear(client);
    for (const int client : clients) ::close(client);
  }
  return 0;
}
