#include "files/open_file_cache.hpp"

#include <sys/resource.h>

#include <filesystem>

#include "catch.hpp"
#include "files/client.hpp"
#include "files/open_file.hpp"

namespace penstock::files {

namespace {

constexpr base::Instant start{std::chrono::hours{1}};
constexpr base::Duration soon = std::chrono::milliseconds{500};
constexpr base::Duration later = std::chrono::seconds{2};

struct Rig {
  testing::TemporaryDirectory directory;
  std::shared_ptr<const Site> site;

  Rig() {
    for (const char* name : {"a", "b", "c", "d"}) directory.write(name, name);
    site = site_at(directory.path());
  }
  OpenFileCache cache(std::size_t descriptors_max) const {
    return OpenFileCache{*site, descriptors_max, *std::pmr::new_delete_resource()};
  }
  // Another file under the same name.
  void replace(const std::string& name, const std::string& content) const {
    directory.write("new", content);
    std::filesystem::rename(directory / "new", directory / name);
  }
};

std::size_t descriptors_of_this_process() {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator{"/proc/self/fd"}, {}));
}

}  // namespace

TEST_CASE("a file that is asked for again is open already", "[files]") {
  const Rig rig;
  OpenFileCache cache = rig.cache(10);
  const FileHandle first = cache.find("/a", start).file;
  CHECK(cache.find("/a", start + soon).file == first);
  CHECK(cache.counters().hits.value() == 1);
  CHECK(cache.counters().misses.value() == 1);
  CHECK(cache.counters().open.value() == 1);
}

TEST_CASE("the least recently used one is closed first", "[files]") {
  const Rig rig;
  OpenFileCache cache = rig.cache(2);
  const std::size_t before = descriptors_of_this_process();
  for (const char* path : {"/a", "/b", "/a", "/c"}) cache.find(path, start);
  CHECK(descriptors_of_this_process() == before + 2);
  CHECK(cache.counters().evictions.value() == 1);
  CHECK(cache.counters().open.value() == 2);
  const auto misses = cache.counters().misses.value();
  cache.find("/a", start);
  CHECK(cache.counters().misses.value() == misses);
  cache.find("/b", start);
  CHECK(cache.counters().misses.value() == misses + 1);
}

TEST_CASE("a file that is being sent stays open though the cache has let it go", "[files]") {
  const Rig rig;
  OpenFileCache cache = rig.cache(1);
  const FileHandle sending = cache.find("/a", start).file;
  cache.find("/b", start);
  std::byte byte{};
  CHECK(os::read_at(sending->file.get(), {&byte, 1}, 0).bytes == 1);
  CHECK(cache.counters().open.value() == 1);
}

TEST_CASE("a name is looked at again after a while: another file, one that is gone, a new one",
          "[files]") {
  const Rig rig;
  OpenFileCache cache = rig.cache(10);
  const std::string before = cache.find("/a", start).file->validators.etag;
  CHECK(cache.find("/new", start).status == 404);
  rig.replace("a", "longer");
  std::filesystem::remove(rig.directory / "b");
  CHECK(cache.find("/b", start).status == 404);
  CHECK(cache.find("/a", start + soon).file->validators.etag == before);
  CHECK(cache.find("/a", start + later).file->validators.etag != before);
  CHECK(cache.find("/a", start + later).file->status.size == 6);
  rig.replace("b", "back");
  CHECK(cache.find("/b", start + soon).status == 404);
  CHECK(cache.find("/b", start + later).status == 200);
  CHECK(cache.counters().open.value() == 2);
}

TEST_CASE("where the root's link was turned everything is looked for in the new release",
          "[files]") {
  const testing::TemporaryDirectory directory;
  directory.write("1/a", "old");
  directory.write("1/gone", "old");
  directory.write("2/a", "newer");
  const auto link = directory.path() / "current";
  std::filesystem::create_directory_symlink("1", link);
  const auto site = site_at(link);
  OpenFileCache cache{*site, 10, *std::pmr::new_delete_resource()};
  const FileHandle sending = cache.find("/a", start).file;
  CHECK(cache.find("/gone", start).status == 200);
  std::filesystem::remove(link);
  std::filesystem::create_directory_symlink("2", link);
  std::filesystem::remove_all(directory.path() / "1");
  CHECK(cache.find("/a", start + soon).file->status.size == 3);
  CHECK(cache.find("/a", start + later).file->status.size == 5);
  CHECK(cache.find("/gone", start + later).status == 404);
  CHECK(cache.counters().open.value() == 1);
  CHECK(sending->status.size == 3);
}

TEST_CASE("a shortage of descriptors is not remembered", "[files]") {
  const Rig rig;
  OpenFileCache cache = rig.cache(10);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  const int status = cache.find("/a", start).status;
  ::setrlimit(RLIMIT_NOFILE, &before);
  CHECK(status == 503);
  CHECK(cache.find("/a", start).status == 200);
}

TEST_CASE("names behind which nothing is are limited as well", "[files]") {
  const Rig rig;
  OpenFileCache cache = rig.cache(3);
  cache.find("/a", start);
  for (int i = 0; i < 1000; ++i) cache.find("/missing/" + std::to_string(i), start);
  CHECK(cache.counters().open.value() == 0);
  CHECK(cache.counters().evictions.value() == 998);
}

TEST_CASE("a compressed form is as good as its nanoseconds", "[files]") {
  const Rig rig;
  rig.directory.write("a.gz", "small");
  const auto now = std::filesystem::file_time_type::clock::now();
  const auto behind_by = [&](std::chrono::nanoseconds time) {
    std::filesystem::last_write_time(rig.directory / "a", now);
    std::filesystem::last_write_time(rig.directory / "a.gz", now - time);
    OpenFileCache cache = rig.cache(10);
    return bool{cache.find("/a", start).gzip};
  };
  CHECK(behind_by(std::chrono::nanoseconds{0}));
  CHECK_FALSE(behind_by(std::chrono::nanoseconds{1}));
  CHECK_FALSE(behind_by(std::chrono::milliseconds{999}));
}

TEST_CASE("the compressed forms of a file lie beside it, and are no older", "[files]") {
  const Rig rig;
  const auto set_time = [&](const char* name, int hours) {
    std::filesystem::last_write_time(
        rig.directory / name,
        std::filesystem::file_time_type::clock::now() + std::chrono::hours{hours});
  };
  rig.directory.write("a.gz", "small");
  rig.directory.write("a.zst", "old");
  set_time("a", -2);
  set_time("a.gz", -1);
  set_time("a.zst", -3);
  OpenFileCache cache = rig.cache(10);
  const Found& found = cache.find("/a", start);
  REQUIRE(found.gzip);
  CHECK(found.gzip->encoding == "gzip");
  CHECK(found.gzip->validators.etag != found.file->validators.etag);
  CHECK_FALSE(found.zstd);
  CHECK(cache.counters().open.value() == 2);
}

}  // namespace penstock::files
