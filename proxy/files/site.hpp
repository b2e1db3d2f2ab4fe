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
#include "files/options.hpp"
#include "os/fd.hpp"
#include "os/file.hpp"

namespace penstock::files {

// What a path names. `status` is the HTTP status to answer:
//   200  a regular file, open in `file`
//   301  a directory that was named without a slash at the end
//   403  the path or a link on the way leads outside the root, may not be read, or names something
//        that is neither file nor directory
//   404  nothing is there, or a directory without an index file
//   503  the machine is out of descriptors or memory; 500 any other failure of the disk
struct Found {
  int status = 404;
  os::Fd file{};
  os::FileStatus file_status{};
  std::string_view content_type{};
  std::string location{};  // of a 301: always below the root, percent-encoded, without the query
};

class Site {
 public:
  // Errors: the sentence that a user should read.
  static boost::system::result<std::shared_ptr<const Site>, std::string> open(
      const Options& options);

  // `path` is percent-decoded and starts with '/'. Empty segments are skipped; a ".." segment is
  // refused even where it would stay inside. Throws std::bad_alloc.
  Found find(std::string_view path) const;

  // The value of Cache-Control for every file.
  const std::string& cache_control() const noexcept { return cache_control_; }

 private:
  Site(os::Fd root, const Options& options);
  Found open_file(const std::string& relative) const;

  const os::Fd root_;
  const std::string index_;
  const std::string cache_control_;
};

}  // namespace penstock::files
