#pragma once
// An echo server that is a process of its own, so that it can be killed, stopped and started.
//
// Owner    the test. Thread: the test's.

#include <memory>
#include <string>

#include "e2e/program.hpp"

namespace penstock::e2e {

class EchoProcess {
 public:
  EchoProcess();  // at a free address; it takes connections when the constructor returns
  const std::string& address() const noexcept { return address_; }

  void kill();  // returns when the process is gone, and with it its sockets
  void start();
  void signal(int number) const { program_->signal(number); }

 private:
  const std::string address_;
  std::unique_ptr<Program> program_;
};

// The life of that process, which is the test's program with the words that main() knows. Does not
// return but for an error.
inline constexpr const char* echo_word = "--serve-echo";
int serve_echo(const std::string& address);

}  // namespace penstock::e2e
