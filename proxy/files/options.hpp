#pragma once
// A static file listener as the configuration states it.

#include <string>

#include "base/time.hpp"

namespace penstock::files {

struct Options {
  std::string root;                                // a directory; relative to the working directory
  std::string index = "index.html";                // served for a directory
  std::size_t open_files = 1024;                   // descriptors that each forwarder keeps open
  base::Duration max_age = std::chrono::hours{1};  // Cache-Control; 0 = "no-cache"
  bool operator==(const Options&) const = default;
};

}  // namespace penstock::files
