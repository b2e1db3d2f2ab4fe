#pragma once
// A PostgreSQL cluster for one test, and its clients.
//
// Owner    the test. Thread: the test's. Errors: Failure.

#include <memory>
#include <string>
#include <vector>

#include "e2e/program.hpp"
#include "e2e/temporary_folder.hpp"

namespace penstock::e2e {

// True, with a warning, where the server, psql or pgbench is not installed.
bool no_postgres();

// REQUIRES: !no_postgres().
class Postgres {
 public:
  Postgres();
  Postgres(const Postgres&) = delete;
  Postgres& operator=(const Postgres&) = delete;
  ~Postgres();
  const std::string& address() const noexcept { return address_; }

 private:
  TemporaryFolder folder_;
  const std::string address_;
  std::unique_ptr<Program> server_;
};

// psql or pgbench, as the first of the words, at an address.
Finished with_database(const std::string& address, std::vector<std::string> words);

}  // namespace penstock::e2e
