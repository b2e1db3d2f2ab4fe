#include "os/file.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace penstock::os {

namespace {

base::Result<Fd> open_by(int directory, const std::string& path, const open_how& how) noexcept {
  for (int tries = 0;; ++tries) {
    const long opened = ::syscall(SYS_openat2, directory, path.c_str(), &how, sizeof how);
    if (opened >= 0) return Fd{static_cast<int>(opened)};
    // openat2(2): EAGAIN where a rename on the way made the answer uncertain; try again.
    if (errno != EINTR && (errno != EAGAIN || tries >= 8)) return base::error_from(errno);
  }
}

}  // namespace

// By openat2 as well: a forwarder that looks at a root again may call no other.
base::Result<Fd> open_directory(const std::string& path) noexcept {
  open_how how{};
  how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  return open_by(AT_FDCWD, path, how);
}

base::Result<Fd> open_beneath(int directory, const std::string& relative) noexcept {
  open_how how{};
  // O_NONBLOCK: a FIFO in the tree must not stop the forwarder.
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  return open_by(directory, relative, how);
}

base::Result<FileStatus> status_of(int file) noexcept {
  struct stat status {};
  if (::fstat(file, &status) != 0) return base::error_from(errno);
  return FileStatus{.size = static_cast<std::uint64_t>(status.st_size),
                    .modified_seconds = status.st_mtim.tv_sec,
                    .modified_nanoseconds = status.st_mtim.tv_nsec,
                    .changed_seconds = status.st_ctim.tv_sec,
                    .changed_nanoseconds = status.st_ctim.tv_nsec,
                    .inode = status.st_ino,
                    .device = status.st_dev,
                    .is_regular = S_ISREG(status.st_mode),
                    .is_directory = S_ISDIR(status.st_mode)};
}

IoResult read_at(int file, std::span<std::byte> into, std::uint64_t offset) noexcept {
  for (;;) {
    const ssize_t count = ::pread(file, into.data(), into.size(), static_cast<off_t>(offset));
    if (count > 0) return {.status = IoStatus::moved, .bytes = static_cast<std::size_t>(count)};
    if (count == 0) return {.status = IoStatus::end};
    if (errno != EINTR) return {.status = IoStatus::failed, .error = errno};
  }
}

IoResult send_file(int socket, int file, std::uint64_t& offset, std::uint64_t bytes_max) noexcept {
  off_t position = static_cast<off_t>(offset);
  const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(bytes_max, 1U << 30));
  for (;;) {
    const ssize_t count = ::sendfile(socket, file, &position, bytes);
    offset = static_cast<std::uint64_t>(position);
    if (count > 0) return {.status = IoStatus::moved, .bytes = static_cast<std::size_t>(count)};
    if (count == 0) return {.status = IoStatus::end};
    if (errno == EAGAIN) return {.status = IoStatus::would_block};
    if (errno != EINTR) return {.status = IoStatus::failed, .error = errno};
  }
}

}  // namespace penstock::os
