#pragma once
// A disk of a megabyte that nobody else sees: a tmpfs in a mount namespace of the calling thread.
//
//   SmallDisk disk;                      // programs that this thread starts see it, too
//   Penstock penstock{{.access = disk.path("access.log")}};
//
// Owner    the test, on one thread. Needs the right to mount: can_mount().
// Errors   Failure.

#include <string>

#include "e2e/temporary_folder.hpp"

namespace penstock::e2e {

bool can_mount();

class SmallDisk {
 public:
  SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk();

  std::string path(const std::string& name) const { return folder_.path(name); }
  std::size_t free_bytes() const;
  // A file that takes all but `bytes_left`.
  void fill(const std::string& name, std::size_t bytes_left) const;

 private:
  TemporaryFolder folder_;
  int before_ = -1;  // the namespace that the thread came from
};

}  // namespace penstock::e2e
