#include "os/file_watch.hpp"

#include <limits.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>

namespace penstock::os {

namespace {

// IN_ATTRIB: a file that could not be read may be readable now.
constexpr std::uint32_t events = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
                                 IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF |
                                 IN_ONLYDIR;
constexpr int links_max = 40;  // what the kernel itself follows: path_resolution(7)

std::deque<std::string> parts_of(const std::string& path) {
  std::deque<std::string> parts;
  for (std::size_t first = 0; first < path.size();) {
    const std::size_t end = std::min(path.find('/', first), path.size());
    if (end > first) parts.push_back(path.substr(first, end - first));
    first = end + 1;
  }
  return parts;
}

std::string absolute(const std::string& path) {
  if (path.starts_with('/')) return path;
  std::array<char, PATH_MAX> folder{};
  if (::getcwd(folder.data(), folder.size()) == nullptr) return '/' + path;
  return std::string{folder.data()} + '/' + path;
}

std::string parent_of(const std::string& folder) {
  const std::size_t slash = folder.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : folder.substr(0, slash);
}

std::string target_of(const std::string& link) {
  std::array<char, PATH_MAX> text{};
  const ssize_t count = ::readlink(link.c_str(), text.data(), text.size());
  return count > 0 ? std::string(text.data(), static_cast<std::size_t>(count)) : std::string{};
}

std::int64_t nanoseconds_of(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

FileWatch::FileWatch() noexcept : inotify_{::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)} {}

void FileWatch::add(const std::string& path) {
  paths_.insert(absolute(path));
  watch_all();
}

void FileWatch::remove(const std::string& path) {
  paths_.erase(absolute(path));
  watch_all();
}

bool FileWatch::take() {
  if (!inotify_) return false;
  alignas(inotify_event) std::array<char, 16 * 1024> bytes;
  bool concerns = false;
  for (;;) {
    const ssize_t count = ::read(inotify_.get(), bytes.data(), bytes.size());
    if (count <= 0) break;
    for (ssize_t at = 0; at < count;) {
      inotify_event event{};
      std::memcpy(&event, bytes.data() + at, sizeof event);
      const char* name = bytes.data() + at + sizeof event;  // ends with NUL, may be empty
      at += static_cast<ssize_t>(sizeof event + event.len);
      const auto watched = names_.find(event.wd);
      // Of the folder itself, and when events were lost: there is no name.
      if ((event.mask & IN_Q_OVERFLOW) != 0 ||
          (watched != names_.end() && (event.len == 0 || watched->second.contains(name))))
        concerns = true;
      if ((event.mask & IN_IGNORED) != 0) names_.erase(event.wd);
    }
  }
  if (concerns) watch_all();
  return concerns;
}

void FileWatch::watch_all() {
  if (!inotify_) return;
  for (auto& [watch, names] : names_) names.clear();
  std::set<int> used;
  for (const std::string& path : paths_) watch_way(path, used);
  std::erase_if(names_, [&](const auto& watch) {
    if (used.contains(watch.first)) return false;
    ::inotify_rm_watch(inotify_.get(), watch.first);
    return true;
  });
}

// The folder is watched before the name is looked at: what changes in between leaves an event.
void FileWatch::watch_name(const std::string& folder, const std::string& name,
                           std::set<int>& used) {
  const int watch = ::inotify_add_watch(inotify_.get(), folder.c_str(), events);
  if (watch < 0) return;
  used.insert(watch);
  names_[watch].insert(name);
}

void FileWatch::watch_way(const std::string& path, std::set<int>& used) {
  std::deque<std::string> left = parts_of(path);
  std::string folder = "/";
  for (int links = 0; !left.empty();) {
    const std::string name = left.front();
    left.pop_front();
    if (name == ".") continue;
    if (name == "..") {
      folder = parent_of(folder);
      continue;
    }
    watch_name(folder, name, used);
    const std::string place = folder == "/" ? folder + name : folder + '/' + name;
    struct stat status {};
    if (::lstat(place.c_str(), &status) != 0) return;
    if (!S_ISLNK(status.st_mode)) {
      folder = place;
      continue;
    }
    if (++links > links_max) return;
    const std::string target = target_of(place);
    if (target.starts_with('/')) folder = "/";
    const std::deque<std::string> further = parts_of(target);
    left.insert(left.begin(), further.begin(), further.end());
  }
}

base::Result<FileState> state_of(const std::string& path) noexcept {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return base::error_from(errno);
  return FileState{.device = status.st_dev,
                   .inode = status.st_ino,
                   .size = static_cast<std::uint64_t>(status.st_size),
                   .modified_nanoseconds = nanoseconds_of(status.st_mtim),
                   .changed_nanoseconds = nanoseconds_of(status.st_ctim)};
}

}  // namespace penstock::os
