#pragma once
// Name servers on 127.0.0.1:53 of our own network: dnsmasq, and one that can only fail.
//
// Owner    the test. Thread: the test's. Errors: Failure.

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "e2e/program.hpp"
#include "e2e/temporary_folder.hpp"

namespace penstock::e2e {

// True, with a warning, where dnsmasq or the right to port 53 of our own network is missing.
bool no_name_server();

// dnsmasq with the names of the zone `test`; every other name of it is NXDOMAIN.
// REQUIRES: !no_name_server().
class NameServer {
 public:
  // Lines of a hosts file ("127.0.0.2 app.test"), and further words of dnsmasq's command line.
  explicit NameServer(const std::string& hosts, std::vector<std::string> words = {});

  void change_to(const std::string& hosts);
  void signal(int number) const { program_->signal(number); }
  void kill();
  void start();

 private:
  TemporaryFolder folder_;
  const std::vector<std::string> words_;
  std::unique_ptr<Program> program_;
};

// Answers every question with SERVFAIL. REQUIRES: network_is_ours().
class FailingNameServer {
 public:
  FailingNameServer();
  FailingNameServer(const FailingNameServer&) = delete;
  FailingNameServer& operator=(const FailingNameServer&) = delete;
  ~FailingNameServer();

 private:
  void answer();

  int socket_ = -1;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace penstock::e2e
