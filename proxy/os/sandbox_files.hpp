#pragma once
// Which files a thread may still open: Landlock. What is open already stays usable.
//
//   auto files = FileRights::create({.readable = {"/proc"}});   // by control, before
//   files->apply();                                             // by each thread, for itself
//
// Threads that are started later inherit it, and may take away more, never less. A path that is not
// there is left out: nothing below it can be opened then.
//
// Errors   create(): ENOSYS or EOPNOTSUPP (the kernel has no Landlock), EPERM (a container engine's
//          seccomp profile). apply(): the same, and E2BIG after 16 of them on one thread.
// Source   landlock(7).

#include <string>
#include <vector>

#include "base/result.hpp"
#include "os/fd.hpp"

namespace penstock::os {

// Files, or folders with everything below them.
struct FilePaths {
  std::vector<std::string> readable{};
  std::vector<std::string> writable{};   // opened for writing and made; not removed
  std::vector<std::string> removable{};  // folders whose entries may be removed
};

class FileRights {
 public:
  static base::Result<FileRights> create(const FilePaths& paths) noexcept;
  // For the calling thread. REQUIRES forbid_new_privileges().
  base::ErrorCode apply() const noexcept;

 private:
  Fd rules_;
};

}  // namespace penstock::os
