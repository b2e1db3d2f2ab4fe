#pragma once
// `penstock numa`: the machine, and the placement that `run` would choose on it.

#include <string>

namespace penstock::cli {

struct NumaCommand {
  std::string file;  // empty: a configuration that says nothing about it, and all devices
  bool json = false;
};

// The exit code: 0, 1 where the placement is refused, 2 where the file is at fault.
int numa(const NumaCommand& command);

}  // namespace penstock::cli
