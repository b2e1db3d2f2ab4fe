#include "os/privileges.hpp"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

namespace penstock::os {

namespace {

std::optional<unsigned> number_in(const std::string& text) noexcept {
  unsigned value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc{} && stop == end ? std::optional{value} : std::nullopt;
}

std::string because(const std::string& what) {
  return what + ": " + std::strerror(errno);
}

// Ids change permitted capabilities of every thread to none, but of a thread that asked to keep
// them.
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
  if (const auto number = number_in(user)) {
    const passwd* entry = ::getpwuid(*number);
    identity = {.user = *number, .group = entry != nullptr ? entry->pw_gid : *number};
  } else if (!user.empty()) {
    const passwd* entry = ::getpwnam(user.c_str());
    if (entry == nullptr)
      return "runtime.user: there is no user \"" + user + "\" on this host; give a name that " +
             "`getent passwd` shows, or a number";
    identity = {.user = entry->pw_uid, .group = entry->pw_gid};
  }
  if (const auto number = number_in(group)) {
    identity.group = *number;
  } else if (!group.empty()) {
    const ::group* entry = ::getgrnam(group.c_str());
    if (entry == nullptr)
      return "runtime.group: there is no group \"" + group + "\" on this host; give a name that " +
             "`getent group` shows, or a number";
    identity.group = entry->gr_gid;
  }
  return identity;
}

Identity current_identity() noexcept {
  return {.user = ::geteuid(), .group = ::getegid()};
}

std::string become(const Identity& identity, bool keep_network_admin) {
  const gid_t only = identity.group;
  if (keep_network_admin) ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
  if (::setgroups(1, &only) != 0) return because("cannot give up the supplementary groups");
  if (::setresgid(only, only, only) != 0) return because("cannot become group " +
                                                         std::to_string(only));
  if (::setresuid(identity.user, identity.user, identity.user) != 0)
    return because("cannot become user " + std::to_string(identity.user));
  if (!set_capabilities(keep_network_admin && identity.user != 0))
    return because("cannot set the capabilities");
  if (!holds_only(identity)) return "the kernel did not change all ids";
  if (identity.user != 0 && has_a_way_back())
    return "user " + std::to_string(identity.user) + " could become root again";
  return {};
}

}  // namespace penstock::os
