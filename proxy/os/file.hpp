#pragma once
// Regular files below one directory, and sending them: the kernel's side of the static server.
//
// Thread   any; opening may wait for the disk.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/result.hpp"
#include "os/fd.hpp"
#include "os/socket.hpp"

namespace penstock::os {

struct FileStatus {
  std::uint64_t size = 0;
  std::int64_t modified_seconds = 0;      // since 1970
  std::int64_t modified_nanoseconds = 0;  // of the second
  std::int64_t changed_seconds = 0;       // content, name or rights; no program can set it
  std::int64_t changed_nanoseconds = 0;
  std::uint64_t inode = 0;
  std::uint64_t device = 0;
  bool is_regular = false;
  bool is_directory = false;
};

// Follows links. Only what open_beneath() does may be done with it.
base::Result<Fd> open_directory(const std::string& path) noexcept;

// Opens `relative` for reading; the kernel itself (openat2, RESOLVE_BENEATH) refuses every way out:
// "..", absolute paths, symbolic links that lead outside, /proc links. Errors: ENOENT, EACCES,
// EXDEV for an escape, ELOOP.
base::Result<Fd> open_beneath(int directory, const std::string& relative) noexcept;

base::Result<FileStatus> status_of(int file) noexcept;

// Reads from `offset` on. end: nothing lies there.
IoResult read_at(int file, std::span<std::byte> into, std::uint64_t offset) noexcept;

// Sends from `offset`, which moves on. end: the file is shorter than it was.
IoResult send_file(int socket, int file, std::uint64_t& offset, std::uint64_t bytes_max) noexcept;

}  // namespace penstock::os
