#pragma once
// Another host: a network namespace of its own at the other end of a veth pair, for what loopback
// cannot show: a slow link, a lossy one, one that is cut.
//
//   FarHost far;                                        // 10.77.0.2; we are 10.77.0.1
//   Origin origin = ... { FarHost::Visit visit{far}; }  // sockets made during a visit live there
//   far.shape("tbf rate 5mbit burst 16kb latency 400ms");
//
// Owner    the test. Needs the right to network namespaces (network_is_ours()) and ip(8), tc(8).
// Thread   a visit moves the calling thread alone; threads and programs that it starts meanwhile
//          are there, too.
// Errors   Failure.

#include <string>

namespace penstock::e2e {

class FarHost {
 public:
  FarHost();
  FarHost(const FarHost&) = delete;
  FarHost& operator=(const FarHost&) = delete;
  ~FarHost();

  class Visit {
   public:
    explicit Visit(const FarHost& host);
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;
    ~Visit();

   private:
    const FarHost& host_;
  };

  // "10.77.0.2:PORT" and "10.77.0.1:PORT".
  std::string address(const std::string& port) const { return "10.77.0.2:" + port; }
  std::string our_address(const std::string& port) const { return "10.77.0.1:" + port; }

  // A queueing discipline for what we send there; for what it sends here.
  void shape_towards(const std::string& discipline);
  void shape_from(const std::string& discipline);
  // Takes the link down, or up again.
  void link(bool up);

 private:
  int home_ = -1;
  int there_ = -1;
};

}  // namespace penstock::e2e
