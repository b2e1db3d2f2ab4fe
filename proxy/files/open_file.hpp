#pragma once
// A file that is open for sending, and all that an answer says of it.
//
// Owner    shared by the cache that keeps it and by every answer that is sending it: it is closed
//          when the last of them lets go.
// Thread   one forwarder's: the count is no atomic.

#include <boost/smart_ptr/local_shared_ptr.hpp>
#include <string>
#include <string_view>

#include "files/preconditions.hpp"
#include "os/fd.hpp"
#include "os/file.hpp"

namespace penstock::files {

struct OpenFile {
  os::Fd file;
  os::FileStatus status;
  std::string_view content_type;  // the site's
  std::string_view encoding;      // Content-Encoding; empty: as it is
  Validators validators;
  std::string last_modified;
};
using FileHandle = boost::local_shared_ptr<const OpenFile>;

// What a path names. `status` is the HTTP status to answer:
//   200  a regular file
//   301  a directory that was named without a slash at the end
//   403  the path or a link on the way leads outside the root, may not be read, or names something
//        that is neither file nor directory
//   404  nothing is there, or a directory without an index file
//   503  the machine is out of descriptors or memory; 500 any other failure of the disk
struct Found {
  int status = 404;
  FileHandle file{};
  FileHandle zstd{};       // the same, compressed beforehand, where that lies beside it
  FileHandle gzip{};       // likewise
  std::string location{};  // of a 301: always below the root, percent-encoded, without the query

  bool has_forms() const noexcept { return zstd || gzip; }
  std::size_t descriptors() const noexcept {
    return (file ? 1U : 0U) + (zstd ? 1U : 0U) + (gzip ? 1U : 0U);
  }
};

}  // namespace penstock::files
