#include "e2e/postgres.hpp"

#include <unistd.h>

#include <filesystem>

#include "e2e/network.hpp"
#include "e2e/servers.hpp"

namespace penstock::e2e {

namespace {

// Where Debian keeps initdb and postgres; empty where they are not installed.
std::string postgres_folder() {
  std::error_code absent;
  for (const auto& version : std::filesystem::directory_iterator{"/usr/lib/postgresql", absent})
    if (std::filesystem::exists(version.path() / "bin/initdb")) return version.path() / "bin";
  return {};
}

}  // namespace

bool no_postgres() {
  if (!postgres_folder().empty()) return skip_without({"psql", "pgbench"});
  skip_without({"initdb"});
  return true;
}

// PostgreSQL refuses to run as root: its own user does.
Postgres::Postgres() : address_{free_address()} {
  const std::string programs = postgres_folder();
  std::filesystem::permissions(folder_.path(), std::filesystem::perms{0755});
  const std::string data = folder_.path("data");
  const std::string prefix = ::geteuid() == 0 ? "runuser -u postgres -- " : "";
  const std::string owner = ::geteuid() == 0 ? "-o postgres " : "";
  const Finished made =
      run_program({"sh", "-c",
                   "install -d -m 0700 " + owner + data + " && cd / && " + prefix + programs +
                       "/initdb --no-sync -A trust -U postgres -D " + data});
  if (made.exit_code != 0) throw Failure{"initdb: " + made.output + made.errors};
  server_ = std::make_unique<Program>(std::vector<std::string>{
      "sh", "-c",
      "cd / && exec " + prefix + programs + "/postgres -D " + data + " -p " + port_of(address_) +
          " -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"});
  wait_until_reachable(address_);
  wait_until("the database takes queries", [this] {
    return with_database(address_, {"psql", "-c", "select 1", "postgres"}).exit_code == 0;
  });
}

// Immediate shutdown; runuser passes the signal on.
Postgres::~Postgres() {
  run_program({"sh", "-c", "kill -QUIT $(head -n 1 " + folder_.path("data/postmaster.pid") + ")"});
  server_->wait();
}

Finished with_database(const std::string& address, std::vector<std::string> words) {
  const std::vector<std::string> where{"-h", "127.0.0.1", "-p", port_of(address), "-U", "postgres"};
  words.insert(words.begin() + 1, where.begin(), where.end());
  return run_program(words);
}

}  // namespace penstock::e2e
