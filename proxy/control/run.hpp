#pragma once
// `penstock run`: the proxy itself.

#include <string>

namespace penstock::control {

struct RunCommand {
  std::string file;
};

// Runs the proxy until a signal or the admin ends it; the exit code.
//
// A parent process that outlives generations of this one would stand before it, in main(): nothing
// here depends on the process's own id, and every listener and thread is made below.
int run(const RunCommand& command);

}  // namespace penstock::control
