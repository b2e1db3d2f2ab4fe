#include "e2e/small_disk.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

namespace penstock::e2e {

bool can_mount() {
  const int before = ::open("/proc/thread-self/ns/mnt", O_RDONLY | O_CLOEXEC);
  const bool can = ::unshare(CLONE_NEWNS) == 0;
  if (can) ::setns(before, CLONE_NEWNS);
  ::close(before);
  return can;
}

SmallDisk::SmallDisk() : before_{::open("/proc/thread-self/ns/mnt", O_RDONLY | O_CLOEXEC)} {
  if (::unshare(CLONE_NEWNS) != 0 ||
      ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, "size=1m") != 0)
    fail_with_errno("cannot mount a small disk");
}

SmallDisk::~SmallDisk() {
  ::umount2(folder_.path().c_str(), MNT_DETACH);
  ::setns(before_, CLONE_NEWNS);
  ::close(before_);
}

std::size_t SmallDisk::free_bytes() const {
  return std::filesystem::space(folder_.path()).available;
}

void SmallDisk::fill(const std::string& name, std::size_t bytes_left) const {
  folder_.write(name, std::string(free_bytes() - bytes_left, 'x'));
}

}  // namespace penstock::e2e
