#pragma once
// What tests with real servers as peers share: whether they are there, and when they answer.
//
// Thread   the test's.

#include <string>
#include <vector>

#include "e2e/program.hpp"
#include "e2e/temporary_folder.hpp"

namespace penstock::e2e {

// True, with a warning that says so, where one of the programs is not installed.
bool skip_without(const std::vector<std::string>& programs);
// The same where this machine does not allow something.
bool skip_unless(bool allowed, const std::string& why);

// Returns when somebody accepts connections at `address`. Errors: Failure, after the deadline.
void wait_until_reachable(const std::string& address);

// REQUIRES: redis-server is installed.
class Redis {
 public:
  Redis();
  const std::string& address() const noexcept { return address_; }
  const Program& program() const noexcept { return server_; }

 private:
  TemporaryFolder folder_;
  const std::string address_;
  Program server_;
};

// nginx, as one process, with the files of `folder`/www. REQUIRES: it is installed.
class Nginx {
 public:
  explicit Nginx(const TemporaryFolder& folder);
  const std::string& address() const noexcept { return address_; }
  const Program& program() const noexcept { return server_; }

 private:
  std::string configuration(const TemporaryFolder& folder) const;

  const std::string address_;
  Program server_;
};

}  // namespace penstock::e2e
