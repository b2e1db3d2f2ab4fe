#include "os/privileges.hpp"

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "os/accounts.hpp"

namespace penstock::os {

namespace {

std::string because(const std::string& what) {
  return what + ": " + std::strerror(errno);
}

bool set_capabilities(bool network_admin) noexcept {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, 2> data{};
  const unsigned wanted = network_admin ? 1U << CAP_NET_ADMIN : 0;
  data[0] = {.effective = wanted, .permitted = wanted, .inheritable = 0};
  return ::syscall(SYS_capset, &header, data.data()) == 0;
}

bool holds_only(const Identity& wanted) noexcept {
  std::array<uid_t, 3> users{};
  std::array<gid_t, 3> groups{};
  ::getresuid(&users[0], &users[1], &users[2]);
  ::getresgid(&groups[0], &groups[1], &groups[2]);
  const int others = ::getgroups(0, nullptr);
  for (std::size_t i = 0; i < users.size(); ++i)
    if (users[i] != wanted.user || groups[i] != wanted.group) return false;
  return others <= 1;
}

bool has_a_way_back() noexcept {
  return ::setresuid(0, 0, 0) == 0 || ::setresgid(0, 0, 0) == 0;
}

}  // namespace

FoundIdentity find_identity(const std::string& user, const std::string& group) {
  Identity identity = current_identity();
  if (!user.empty()) {
    const auto id = user_id(user);
    if (!id)
      return "runtime.user: there is no user \"" + user + "\" on this host; give a name that " +
             "`getent passwd` shows, or a number";
    identity = {.user = *id, .group = group_of_user(*id).value_or(*id)};
  }
  if (!group.empty()) {
    const auto id = group_id(group);
    if (!id)
      return "runtime.group: there is no group \"" + group + "\" on this host; give a name that " +
             "`getent group` shows, or a number";
    identity.group = *id;
  }
  return identity;
}

Identity current_identity() noexcept {
  return {.user = ::geteuid(), .group = ::getegid()};
}

std::string become(const Identity& identity, bool keep_network_admin) {
  const auto& [user, group] = identity;
  // Else the change of the user takes all of them away.
  if (keep_network_admin) ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
  if (::setgroups(1, &group) != 0) return because("cannot give up the supplementary groups");
  if (::setresgid(group, group, group) != 0)
    return because("cannot become group " + std::to_string(group));
  if (::setresuid(user, user, user) != 0)
    return because("cannot become user " + std::to_string(user));
  ::prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
  if (!holds_only(identity)) return "the kernel did not change all ids";
  if (user == 0) return {};
  if (!set_capabilities(keep_network_admin)) return because("cannot set the capabilities");
  if (has_a_way_back()) return "user " + std::to_string(user) + " could become root again";
  return {};
}

}  // namespace penstock::os
