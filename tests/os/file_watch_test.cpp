#include "os/file_watch.hpp"

#include <poll.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "catch.hpp"

namespace penstock::os {

namespace {

namespace fs = std::filesystem;

// A watched path in a folder of the test's own.
struct Watched {
  Watched() {
    std::string pattern = (fs::temp_directory_path() / "penstock-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    root = pattern;
  }
  ~Watched() { fs::remove_all(root); }

  void write(const fs::path& name, const std::string& text) const {
    std::ofstream{root / name} << text;
  }
  void watch(const fs::path& name) { files.add(root / name); }
  // Something concerns the path. Events come before the call that caused them returns.
  bool changed() {
    pollfd ready{.fd = files.descriptor(), .events = POLLIN, .revents = 0};
    return ::poll(&ready, 1, 0) == 1 && files.take();
  }

  fs::path root;
  FileWatch files;
};

}  // namespace

TEST_CASE("a file that is written, renamed onto the path, or removed is noticed", "[os]") {
  Watched watched;
  watched.write("list", "a");
  watched.watch("list");
  CHECK_FALSE(watched.changed());
  watched.write("list", "b");
  CHECK(watched.changed());
  CHECK_FALSE(watched.changed());
  watched.write("new", "c");
  CHECK_FALSE(watched.changed());  // another name
  fs::rename(watched.root / "new", watched.root / "list");
  CHECK(watched.changed());
  watched.write("list", "d");  // the new file, too
  CHECK(watched.changed());
  fs::remove(watched.root / "list");
  CHECK(watched.changed());
}

TEST_CASE("the first appearance of a file and of its folders is noticed", "[os]") {
  Watched watched;
  watched.watch("one/two/list");
  fs::create_directory(watched.root / "one");
  CHECK(watched.changed());
  fs::create_directory(watched.root / "one/two");
  CHECK(watched.changed());
  watched.write("one/two/list", "a");
  CHECK(watched.changed());
}

TEST_CASE("a folder that is removed and made again is noticed, and watched again", "[os]") {
  Watched watched;
  fs::create_directory(watched.root / "folder");
  watched.write("folder/list", "a");
  watched.watch("folder/list");
  fs::remove_all(watched.root / "folder");
  CHECK(watched.changed());
  fs::create_directory(watched.root / "folder");
  CHECK(watched.changed());
  watched.write("folder/list", "b");
  CHECK(watched.changed());
  fs::rename(watched.root / "folder", watched.root / "aside");
  CHECK(watched.changed());
  watched.write("aside/list", "c");
  CHECK_FALSE(watched.changed());  // the path does not lead there any more
}

TEST_CASE("the swap of a ConfigMap is noticed each time", "[os]") {
  Watched watched;
  const auto publish = [&](const std::string& version) {
    fs::create_directory(watched.root / version);
    watched.write(version + "/list", version);
    fs::create_directory_symlink(version, watched.root / "..data_tmp");
    fs::rename(watched.root / "..data_tmp", watched.root / "..data");
  };
  publish("..1");
  fs::create_symlink("..data/list", watched.root / "list");
  watched.watch("list");
  CHECK_FALSE(watched.changed());
  for (const std::string version : {"..2", "..3", "..4"}) {
    publish(version);
    CHECK(watched.changed());
    CHECK_FALSE(watched.changed());
  }
  watched.write("..4/list", "in place");
  CHECK(watched.changed());
  watched.write("..1/list", "of the past");
  CHECK_FALSE(watched.changed());
}

TEST_CASE("links may be absolute, lead upwards, or in a circle", "[os]") {
  Watched watched;
  fs::create_directories(watched.root / "a/b");
  watched.write("list", "a");
  fs::create_symlink("../../list", watched.root / "a/b/up");
  fs::create_symlink(watched.root / "a/./b/up", watched.root / "entry");
  watched.watch("entry");
  watched.write("list", "b");
  CHECK(watched.changed());
  fs::create_symlink("circle", watched.root / "circle");
  watched.watch("circle");
  fs::remove(watched.root / "circle");
  CHECK(watched.changed());
}

TEST_CASE("a path that was removed from the watch concerns nobody", "[os]") {
  Watched watched;
  watched.watch("one");
  watched.watch("other");
  watched.files.remove(watched.root / "one");
  watched.write("one", "a");
  CHECK_FALSE(watched.changed());
  watched.write("other", "a");
  CHECK(watched.changed());
}

TEST_CASE("a state tells a file from its successor, and a missing file is an error", "[os]") {
  const Watched watched;
  CHECK(state_of(watched.root / "list").error().value() == ENOENT);
  watched.write("list", "a");
  const auto before = state_of(watched.root / "list");
  REQUIRE(before.has_value());
  CHECK(*state_of(watched.root / "list") == *before);
  watched.write("new", "b");
  fs::rename(watched.root / "new", watched.root / "list");
  CHECK_FALSE(*state_of(watched.root / "list") == *before);
}

}  // namespace penstock::os
