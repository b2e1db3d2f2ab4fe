#pragma once
// One directory that is served: what a decoded request path means in it.
//
// Owner    shared by every Responder of a listener; built at start or reload.
// Thread   any: it does not change after construction. find() may wait for the disk.
// Promise  no path and no symbolic link leads outside the root; the kernel enforces it
//          (os::open_beneath).

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "files/media_types.hpp"
#include "files/open_file.hpp"
#include "files/options.hpp"
#include "os/fd.hpp"
#include "os/file.hpp"

namespace penstock::files {

// Where the path of a site's root leads by now: a deploy may have turned a link.
struct Root {
  os::Fd directory;                // none: where it led at the start
  std::int64_t since_seconds = 0;  // when it was seen to lead there; since 1970
};

class Site {
 public:
  // Errors: the sentence that a user should read.
  static base::SentenceOr<std::shared_ptr<const Site>> open(const Options& options);

  // `path` is percent-decoded and starts with '/'. Empty segments are skipped; a ".." segment is
  // refused even where it would stay inside. Throws std::bad_alloc.
  Found find(std::string_view path) const { return find(path, Root{}); }
  Found find(std::string_view path, const Root& root) const;
  // Makes `root` the directory to which the root's path leads by now, where that is another one;
  // false: it is not, or no directory is there that may be read.
  bool follow(Root& root) const noexcept;
  std::size_t open_files() const noexcept { return open_files_; }

  // The value of Cache-Control for every file.
  const std::string& cache_control() const noexcept { return cache_control_; }

 private:
  Site(os::Fd root, const Options& options);
  int directory_of(const Root& root) const noexcept;
  Found open_file(const Root& root, const std::string& relative) const;
  FileHandle open_form(const Root& root, const std::string& relative, const OpenFile& plain,
                       std::string_view ending, std::string_view encoding) const;

  const std::string root_path_;
  const os::Fd root_;  // where that led at the start
  const std::string index_;
  const std::size_t open_files_;
  const MediaTypes types_;
  const std::string cache_control_;
};

}  // namespace penstock::files
