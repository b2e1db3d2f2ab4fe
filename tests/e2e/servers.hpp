#pragma once
// What tests with real servers as peers share: whether they are there, and when they answer.
//
// Thread   the test's.

#include <string>
#include <vector>

namespace penstock::e2e {

// True, with a warning that says so, where one of the programs is not installed.
bool skip_without(const std::vector<std::string>& programs);
// The same where this machine does not allow something.
bool skip_unless(bool allowed, const std::string& why);

// Returns when somebody accepts connections at `address`. Errors: Failure, after the deadline.
void wait_until_reachable(const std::string& address);

}  // namespace penstock::e2e
