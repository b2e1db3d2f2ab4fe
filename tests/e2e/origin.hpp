#pragma once
// A server of the test's: it listens, and the test either takes each connection in its hand or says
// once what a thread shall do with every one. And one who has no room for anybody.
//
// Owner    the test. Thread: accept() the test's; a script runs on a thread of this object.

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "e2e/peer.hpp"

namespace penstock::e2e {

class Origin {
 public:
  struct Options {
    int backlog = 4096;
    int receive_buffer = 0;  // SO_RCVBUF of the accepted, 0 = the kernel's own
  };
  Origin();  // at a free loopback address
  explicit Origin(const std::string& address) : Origin{address, Options{}} {}
  Origin(const std::string& address, Options options);
  Origin(const Origin&) = delete;
  Origin& operator=(const Origin&) = delete;
  ~Origin();

  const std::string& address() const noexcept { return address_; }
  int descriptor() const noexcept { return socket_; }
  Peer accept(Milliseconds deadline = soon);
  bool somebody_waits() const;

  // From now on every connection is given to `script`, one after another; a Failure in it ends that
  // connection alone.
  void serve(std::function<void(Peer)> script);
  std::size_t served() const noexcept { return served_; }

 private:
  const std::string address_;
  int socket_ = -1;
  std::atomic<bool> stopping_{false};
  std::atomic<std::size_t> served_{0};
  std::thread thread_;
};

// A listening socket whose queue is full: further SYNs are dropped, as by a host that is gone.
class BlackHole {
 public:
  explicit BlackHole(int backlog = 0);
  const std::string& address() const noexcept { return origin_.address(); }
  // From here on it is an origin like any other, and nobody waits for it.
  Origin& come_back();

 private:
  Origin origin_;
  std::vector<Peer> fillers_;
};

// Scripts.
void echo(Peer peer);                               // until FIN
std::function<void(Peer)> say(std::string text);    // reads until FIN, answers, FIN
std::function<void(Peer)> greet(std::string text);  // answers at once, FIN

}  // namespace penstock::e2e
