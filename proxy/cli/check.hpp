#pragma once
// `penstock check`: loads a configuration, tells its faults and, where it was asked for, its
// budget.

#include <string>

namespace penstock::cli {

struct CheckCommand {
  std::string file;
  bool budget = false;
};

// The exit code.
int check(const CheckCommand& command);

}  // namespace penstock::cli
