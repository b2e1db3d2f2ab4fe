#pragma once
// strace, attached to a running proxy: it makes system calls fail as a kernel in trouble would, or
// counts them. (strace(1), --inject; the number of a call is counted in each thread apart.)
//
//   Tracer tracer{penstock.program().id(), {"-e", "inject=splice:error=ENOMEM:when=5"}};
//
// Owner    the test; detaches at its end, and the proxy goes on. Thread: the test's.
// Needs    the right to trace: can_trace().

#include <map>
#include <string>
#include <vector>

#include "e2e/program.hpp"
#include "e2e/temporary_folder.hpp"

namespace penstock::e2e {

bool can_trace();

class Tracer {
 public:
  // Returns when every thread is held. Errors: Failure.
  Tracer(int process, const std::vector<std::string>& words);
  // One thread alone, by its number: then `when=` means one call of the whole process.
  static Tracer of_thread(int thread, const std::vector<std::string>& words) {
    return Tracer{{"strace", "-p", std::to_string(thread)}, words, Attached{}};
  }
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;
  ~Tracer();

  // Detaches and answers what strace wrote: the calls, or with -c the table.
  std::string detach();
  // With -c: detaches and reads the table; or adds up its column of calls.
  struct Count {
    std::size_t calls = 0;
    std::size_t errors = 0;
  };
  std::map<std::string, Count> counts();
  std::size_t total_calls();
  // Calls so far that strace made to fail or delayed. Without -c.
  std::size_t injected() const;

 private:
  struct Attached {};
  Tracer(std::vector<std::string> command, const std::vector<std::string>& words, Attached);

  TemporaryFolder folder_;
  std::string file_;
  Program strace_;
};

}  // namespace penstock::e2e
