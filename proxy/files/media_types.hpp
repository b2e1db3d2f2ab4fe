#pragma once
// Content-Type by the extension of a file's name: the system's table, and where that has nothing, a
// small one of our own.
//
// Owner    a Site. Thread: any, after construction.
// Source   mime.types(5).

#include <string>
#include <string_view>
#include <unordered_map>

namespace penstock::files {

inline constexpr const char* system_media_types = "/etc/mime.types";

class MediaTypes {
 public:
  MediaTypes() = default;  // only our own
  // Lines of "type extension ...", '#' begins a comment. What is no such line is skipped.
  explicit MediaTypes(std::string_view table);

  // By the last segment of the path, case ignored. Text bears its charset, UTF-8.
  // "application/octet-stream" where the extension is unknown or missing.
  std::string_view of(std::string_view path) const noexcept;

 private:
  std::unordered_map<std::string, std::string> by_extension_;
};

}  // namespace penstock::files
