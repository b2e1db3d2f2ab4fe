#pragma once
// A folder that goes with the test.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "e2e/waiting.hpp"

namespace penstock::e2e {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "penstock-e2e-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) fail_with_errno("cannot make a folder");
    path_ = pattern;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::string path(const std::string& name) const { return path_ + "/" + name; }
  std::string path() const { return path_; }

  // The path of the new file; folders on the way are made.
  std::string write(const std::string& name, const std::string& text) const {
    const std::filesystem::path file = path(name);
    std::filesystem::create_directories(file.parent_path());
    std::ofstream{file, std::ios::binary} << text;
    return file;
  }

 private:
  std::string path_;
};

}  // namespace penstock::e2e
