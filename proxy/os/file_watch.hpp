#pragma once
// Notices when the file that a path leads to may have become another one, or other in itself.
//
// Every folder on the way is watched for the name that is looked up in it, along every symbolic
// link: so a file that is renamed onto the path, a link on the way that is replaced (how Kubernetes
// swaps the files of a ConfigMap), folders that are removed and made again, and the first
// appearance of the file are all noticed. A file that is written in place is noticed when its
// writer closes it.
//
// Owner    whoever reads the files. Thread: that of the owner.
// Limits   the user's fs.inotify.max_user_instances and max_user_watches, and file systems that do
//          not tell (NFS, some FUSE): what is not noticed for these reasons needs a look at the
//          file from time to time.
// Source   inotify(7).

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "base/result.hpp"
#include "os/fd.hpp"

namespace penstock::os {

class FileWatch {
 public:
  FileWatch() noexcept;

  // Readable when something happened. -1 where the kernel has no watch left for us: nothing will be
  // noticed.
  int descriptor() const noexcept { return inotify_.get(); }

  void add(const std::string& path);
  void remove(const std::string& path);

  // Takes what happened, and watches the way as it is now. True where it concerned one of the
  // paths. Files are read after this call, not before: so no change is lost.
  bool take();

 private:
  void watch_all();
  void watch_way(const std::string& path, std::set<int>& used);
  void watch_name(const std::string& folder, const std::string& name, std::set<int>& used);

  Fd inotify_;
  std::set<std::string> paths_;
  std::map<int, std::set<std::string>> names_;  // by watch: what is looked up in that folder
};

// What tells one state of a file from another, without reading it.
struct FileState {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t modified_nanoseconds = 0;
  std::int64_t changed_nanoseconds = 0;
  bool operator==(const FileState&) const = default;
};

// Errors: ENOENT, EACCES and others of stat(2).
base::Result<FileState> state_of(const std::string& path) noexcept;

}  // namespace penstock::os
