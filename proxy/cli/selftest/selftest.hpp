#pragma once
// `penstock selftest`: does every relay engine work on this kernel?
//
// For each engine a whole data plane is built in this process, on loopback, and traffic goes
// through it: byte for byte, half-closed, with an urgent byte, to a reader that is slow. Everything
// has a deadline; the whole takes less than five seconds.
//
// Exit code   0: every engine that this kernel has is right. 1: one is wrong.
// Thread      the calling one, beside those of the data plane under test.

#include <string>
#include <vector>

namespace penstock::cli {

struct SelftestCommand {
  bool json = false;
};
int selftest(const SelftestCommand& command);

// What became of one engine.
struct EngineVerdict {
  enum class Kind { right, wrong, not_here };
  std::string engine;
  Kind kind = Kind::right;
  std::vector<std::string> tried;
  std::string why;  // of what is not right
  long milliseconds = 0;
};

}  // namespace penstock::cli
