#include "os/socket_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <optional>

namespace penstock::os {

namespace {

std::optional<struct stat> socket_at(const std::string& path) noexcept {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return std::nullopt;
  return status;
}

}  // namespace

SocketFile::SocketFile(const SocketAddress& address) {
  if (!address.is_unix() || address.is_abstract()) return;
  const auto status = socket_at(address.path());
  if (!status) return;
  path_ = address.path();
  device_ = status->st_dev;
  number_ = status->st_ino;
}

void SocketFile::remove() noexcept {
  if (path_.empty()) return;
  const auto status = socket_at(path_);
  if (status && status->st_dev == device_ && status->st_ino == number_) ::unlink(path_.c_str());
  path_.clear();
}

}  // namespace penstock::os
