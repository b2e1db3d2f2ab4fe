#include "os/sandbox_files.hpp"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace penstock::os {

namespace {

// Newer than the headers of Linux 6.1.
constexpr std::uint64_t access_truncate = 1U << 14;
constexpr std::uint64_t access_device_control = 1U << 15;

constexpr std::uint64_t read = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t write = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG;
constexpr std::uint64_t remove = LANDLOCK_ACCESS_FS_REMOVE_FILE;
// A rule for a file may name only these.
constexpr std::uint64_t of_files =
    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | access_truncate;

// Everything that this kernel can refuse.
std::uint64_t known_to(long version) noexcept {
  std::uint64_t access = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
  if (version >= 2) access |= LANDLOCK_ACCESS_FS_REFER;
  if (version >= 3) access |= access_truncate;
  if (version >= 5) access |= access_device_control;
  return access;
}

base::ErrorCode allow(int rules, const std::vector<std::string>& paths, std::uint64_t access) {
  for (const std::string& path : paths) {
    const Fd place{::open(path.c_str(), O_PATH | O_CLOEXEC)};
    struct stat status {};
    if (!place || ::fstat(place.get(), &status) != 0) continue;
    landlock_path_beneath_attr rule{};
    rule.allowed_access = S_ISDIR(status.st_mode) ? access : access & of_files;
    rule.parent_fd = place.get();
    if (::syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
      return base::error_from(errno);
  }
  return {};
}

}  // namespace

base::Result<FileRights> FileRights::create(const FilePaths& paths) noexcept {
  const long version =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 1) return base::error_from(errno);
  landlock_ruleset_attr attributes{};
  attributes.handled_access_fs = known_to(version);
  FileRights rights;
  rights.rules_ = Fd{static_cast<int>(
      ::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes.handled_access_fs, 0))};
  if (!rights.rules_) return base::error_from(errno);
  const int rules = rights.rules_.get();
  const std::uint64_t truncate = version >= 3 ? access_truncate : 0;
  if (const auto error = allow(rules, paths.readable, read)) return error;
  if (const auto error = allow(rules, paths.writable, write | truncate)) return error;
  if (const auto error = allow(rules, paths.removable, remove)) return error;
  return rights;
}

base::ErrorCode FileRights::apply() const noexcept {
  return ::syscall(SYS_landlock_restrict_self, rules_.get(), 0) == 0 ? base::ErrorCode{}
                                                                     : base::error_from(errno);
}

}  // namespace penstock::os
