#include "files/site.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include "files/client.hpp"

namespace penstock::files {

using testing::await_fact;
using testing::TemporaryDirectory;

namespace {

struct SiteHouse {
  TemporaryDirectory directory;
  std::shared_ptr<const Site> site;

  SiteHouse() {
    directory.write("secret", "outside");
    directory.write("www/index.html", "front");
    directory.write("www/sub/index.html", "sub front");
    directory.write("www/sub/data.json", "{}");
    directory.write("www/a b/\xc3\xa4.txt", "umlaut");
    directory.write("www/bare/file", "x");
    std::filesystem::create_directories(directory.path() / "www/odd/index.html");
    std::filesystem::create_symlink("../secret", directory.path() / "www/out");
    std::filesystem::create_symlink("sub/data.json", directory.path() / "www/in");
    std::filesystem::create_symlink(directory / "secret", directory.path() / "www/absolute");
    std::filesystem::create_symlink("loop", directory.path() / "www/loop");
    REQUIRE(::mkfifo((directory / "www/fifo").c_str(), 0600) == 0);
    site = site_at(directory / "www");
  }
};

}  // namespace

TEST_CASE("each path of a site gets its status", "[files]") {
  const SiteHouse rig;
  const struct {
    const char* path;
    int status;
  } rows[] = {
      {"/", 200},
      {"//", 200},
      {"/./", 200},
      {"/index.html", 200},
      {"/sub/", 200},
      {"/in", 200},
      {"//sub//data.json", 200},
      {"/a b/\xc3\xa4.txt", 200},
      {"/sub", 301},
      {"/bare", 301},
      {"/sub/.", 200},
      {"/..", 403},
      {"/../secret", 403},
      {"/sub/../index.html", 403},
      {"/sub/..", 403},
      {"/out", 403},
      {"/absolute", 403},
      {"/fifo", 403},
      {"/loop", 403},
      {"/missing", 404},
      {"/missing/", 404},
      {"/bare/", 404},
      {"/odd/", 404},
      {"/index.html/", 404},
      {"/index.html/x", 404},
      {"/...", 404},
      {"/etc/passwd", 404},
  };
  for (const auto& row : rows) {
    CAPTURE(row.path);
    const Found found = rig.site->find(row.path);
    CHECK(found.status == row.status);
    CHECK(bool{found.file} == (row.status == 200));
    CHECK(found.location.empty() == (row.status != 301));
  }
  CHECK(rig.site->find('/' + std::string(300, 'x')).status == 404);
  CHECK(rig.site->find('/' + std::string(5000, 'x')).status == 404);
}

TEST_CASE("a found file comes with size, type and descriptor", "[files]") {
  const SiteHouse rig;
  const Found found = rig.site->find("/sub/data.json");
  REQUIRE(found.status == 200);
  CHECK(found.file->status.size == 2);
  CHECK(found.file->content_type == "application/json");
  const Found index = rig.site->find("/sub/");
  CHECK(index.file->content_type == "text/html; charset=utf-8");
}

TEST_CASE("a redirect stays on this host, whatever the path was", "[files]") {
  const SiteHouse rig;
  CHECK(rig.site->find("/sub").location == "/sub/");
  CHECK(rig.site->find("//sub").location == "/sub/");
  CHECK(rig.site->find("/a b").location == "/a%20b/");
}

TEST_CASE("without an index name directories are not served", "[files]") {
  const SiteHouse rig;
  Options options;
  options.index = "";
  const auto site = site_at(rig.directory / "www", options);
  CHECK(site->find("/").status == 404);
  CHECK(site->find("/index.html").status == 200);
}

TEST_CASE("max_age becomes Cache-Control", "[files]") {
  const SiteHouse rig;
  const std::string root = rig.directory / "www";
  CHECK(site_at(root)->cache_control() == "max-age=3600");
  Options options;
  options.max_age = base::Duration{0};
  CHECK(site_at(root, options)->cache_control() == "no-cache");
  options.max_age = std::chrono::milliseconds{1};
  CHECK(site_at(root, options)->cache_control() == "max-age=1");
}

TEST_CASE("a file whose date a build has set is told from the one before by date and by tag",
          "[files]") {
  const SiteHouse rig;
  const std::string path = rig.directory / "www/index.html";
  const auto in_1970 = [&] {
    const timespec zero[2]{};
    REQUIRE(::utimensat(AT_FDCWD, path.c_str(), zero, 0) == 0);
    return rig.site->find("/index.html").file->validators;
  };
  const Validators before = in_1970();
  CHECK(before.modified_seconds > os::wall_clock_nanoseconds() / 1'000'000'000 - 60);
  rig.directory.write("www/index.html", "FRONT");  // the same inode, size and date
  REQUIRE(await_fact([&] { return in_1970().modified_seconds > before.modified_seconds; }));
  CHECK(in_1970().etag != before.etag);
}

TEST_CASE("a root is followed to where its link leads by now", "[files]") {
  const TemporaryDirectory directory;
  directory.write("1/file", "old");
  directory.write("2/file", "newer");
  const auto link = directory.path() / "current";
  const auto turn_to = [&](const char* release) {
    std::filesystem::remove(link);
    std::filesystem::create_directory_symlink(release, link);
  };
  turn_to("1");
  const auto site = site_at(link);
  Root root;
  CHECK_FALSE(site->follow(root));
  turn_to("2");
  CHECK(site->find("/file", root).file->status.size == 3);
  REQUIRE(site->follow(root));
  CHECK(site->find("/file", root).file->status.size == 5);
  CHECK(root.since_seconds > 0);
  CHECK_FALSE(site->follow(root));
  std::filesystem::remove(link);
  CHECK_FALSE(site->follow(root));  // between two releases
  turn_to("1");
  REQUIRE(site->follow(root));
  CHECK(site->find("/file", root).file->status.size == 3);
}

TEST_CASE("a root that is no directory is a sentence", "[files]") {
  const SiteHouse rig;
  for (const char* name : {"missing", "secret"}) {
    Options options;
    options.root = rig.directory / name;
    const auto site = Site::open(options);
    REQUIRE(site.has_error());
    CHECK(site.error().find(options.root) != std::string::npos);
  }
}

}  // namespace penstock::files
