#include "os/sandbox_files.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>

#include "catch.hpp"
#include "os/sandbox.hpp"

namespace penstock::os {

namespace {

// What a child process under these rights can do.
bool holds_under(const FilePaths& paths, const std::function<bool()>& fact) {
  const pid_t child = ::fork();
  if (child == 0) {
    forbid_new_privileges();
    const auto rights = FileRights::create(paths);
    if (!rights || rights->apply()) ::_exit(2);
    ::_exit(fact() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) != 2);
  return WEXITSTATUS(status) == 0;
}

bool opens(const std::string& path, int flags) {
  return ::open(path.c_str(), flags | O_CLOEXEC, 0600) >= 0;
}

struct Folder {
  Folder() {
    std::string name = std::filesystem::temp_directory_path() / "rights-XXXXXX";
    path = ::mkdtemp(name.data());
    ::close(::open((path + "/file").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path;
};

bool skip_without_landlock() {
  if (FileRights::create({})) return false;
  WARN("skipped: this kernel has no Landlock");
  return true;
}

}  // namespace

TEST_CASE("without a right no file can be opened, made or removed", "[os]") {
  if (skip_without_landlock()) return;
  const Folder folder;
  CHECK(holds_under({}, [&] { return !opens(folder.path + "/file", O_RDONLY); }));
  CHECK(holds_under({}, [&] { return !opens(folder.path + "/new", O_WRONLY | O_CREAT); }));
  CHECK(holds_under({}, [&] { return ::unlink((folder.path + "/file").c_str()) != 0; }));
}

TEST_CASE("each right allows what it says and no more", "[os]") {
  if (skip_without_landlock()) return;
  const Folder folder;
  const std::string file = folder.path + "/file";
  CHECK(holds_under({.readable = {folder.path}}, [&] {
    return opens(file, O_RDONLY) && !opens(file, O_WRONLY) && ::unlink(file.c_str()) != 0;
  }));
  CHECK(holds_under({.writable = {folder.path}}, [&] {
    return opens(folder.path + "/new", O_WRONLY | O_CREAT | O_APPEND) && !opens(file, O_RDONLY) &&
           ::unlink(file.c_str()) != 0;
  }));
  CHECK(holds_under({.removable = {folder.path}}, [&] {
    return !opens(file, O_RDONLY) && ::unlink(file.c_str()) == 0;
  }));
}

TEST_CASE("a path that is not there is no error", "[os]") {
  if (skip_without_landlock()) return;
  const Folder folder;
  CHECK(holds_under({.readable = {folder.path + "/absent", folder.path}},
                    [&] { return opens(folder.path + "/file", O_RDONLY); }));
}

}  // namespace penstock::os
