#pragma once
// The server behind the proxy, in a thread of its own.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace penstock::bench {

class Origin {
 public:
  enum class Kind {
    reply,   // answers requests of these sizes, in turn, each with as many bytes; ends when the
             // client does
    source,  // sends for ever, by sendfile from memory
  };
  Origin(Kind kind, std::uint16_t port, std::vector<std::size_t> sizes);
  ~Origin();

 private:
  struct Connection {
    std::size_t received = 0;  // of the request that is coming in
    std::size_t turn = 0;      // its place among the sizes
    std::size_t owed = 0;      // of answers
    bool finished = false;
  };
  void run();
  void accept_all();
  void serve(int socket);
  bool receive(int socket, Connection& connection);
  void pay(int socket, Connection& connection);
  bool pour(int socket);  // true where the socket would take more

  const Kind kind_;
  const std::vector<std::size_t> sizes_;
  const std::string answer_;
  int listener_;
  int epoll_;
  int file_ = -1;
  std::unordered_map<int, Connection> connections_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace penstock::bench
