#pragma once
// The verbs of the command line that load a configuration. Each answers the exit code.

#include "control/command_line.hpp"

namespace penstock::control {

// Runs the proxy until a signal or the admin ends it.
//
// A parent process that outlives generations of this one would stand before it, in main(): nothing
// here depends on the process's own id, and every listener and thread is made below.
int run(const RunCommand& command);

int check(const CheckCommand& command);
int print(const PrintCommand& command);

}  // namespace penstock::control
