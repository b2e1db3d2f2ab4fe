#include "os/privileges.hpp"

#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <functional>

#include "catch.hpp"
#include "os/process.hpp"

namespace penstock::os {

namespace {

constexpr unsigned somebody = 65532;

// In a child process, for there is no way back.
bool holds_as(const Identity& identity, bool keep_network_admin,
              const std::function<bool()>& fact) {
  const pid_t child = ::fork();
  if (child == 0) {
    const std::array<gid_t, 2> more{4, 27};
    ::setgroups(more.size(), more.data());
    ::_exit(become(identity, keep_network_admin).empty() && fact() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool has_line(const std::string& line) {
  return read_file("/proc/self/status", 65536).text.find(line) != std::string::npos;
}

bool skip_without_root() {
  if (::geteuid() == 0) return false;
  WARN("skipped: only root can become somebody else");
  return true;
}

}  // namespace

TEST_CASE("names and numbers name an identity", "[os]") {
  CHECK(find_identity("root", "")->user == 0);
  CHECK(find_identity("65532", "")->user == somebody);
  CHECK(find_identity("65532", "4")->group == 4);
  CHECK(find_identity("nobody", "")->group == find_identity("", "nogroup")->group);
  CHECK(find_identity("no-such-user", "").error() ==
        "runtime.user: there is no user \"no-such-user\" on this host; give a name that `getent "
        "passwd` shows, or a number");
  CHECK(find_identity("", "no-such-group").error().starts_with("runtime.group: there is no group"));
}

TEST_CASE("who became somebody has neither root's ids, groups nor capabilities", "[os]") {
  if (skip_without_root()) return;
  CHECK(holds_as({somebody, somebody}, false, [] {
    return has_line("Uid:\t65532\t65532\t65532\t65532") &&
           has_line("Gid:\t65532\t65532\t65532\t65532") && has_line("Groups:\t65532 \n") &&
           has_line("CapPrm:\t0000000000000000") && has_line("CapEff:\t0000000000000000") &&
           ::setuid(0) != 0;
  }));
}

TEST_CASE("who needs it keeps CAP_NET_ADMIN and nothing else", "[os]") {
  if (skip_without_root()) return;
  CHECK(holds_as({somebody, somebody}, true, [] {
    return has_line("CapPrm:\t0000000000001000") && has_line("CapEff:\t0000000000001000") &&
           ::setuid(0) != 0;
  }));
}

TEST_CASE("who is not root is told why it cannot become somebody", "[os]") {
  if (skip_without_root()) return;
  CHECK(holds_as({somebody, somebody}, false, [] {
    return become({somebody - 1, somebody - 1}, false)
        .starts_with("cannot give up the supplementary groups: ");
  }));
}

}  // namespace penstock::os
