#include "os/file.hpp"

#include <sys/stat.h>

#include <cerrno>

#include "catch.hpp"
#include "os/loopback.hpp"
#include "os/process.hpp"

namespace penstock::os {

using namespace testing;

namespace {

// A root with a secret beside it.
struct Tree {
  TemporaryDirectory directory;
  Fd root;

  Tree() {
    directory.write("secret", "outside");
    directory.write("root/file.txt", "inside");
    directory.write("root/sub/deep.txt", "deep");
    auto opened = open_directory(directory / "root");
    REQUIRE(opened.has_value());
    root = std::move(*opened);
  }
  void link(const std::string& target, const std::string& name) const {
    std::filesystem::create_symlink(target, directory / ("root/" + name));
  }
  int error_of(const std::string& relative) const {
    const auto file = open_beneath(root.get(), relative);
    return file ? 0 : file.error().value();
  }
};

std::string content_of(int file) {
  std::byte buffer[64];
  const IoResult result = read_at(file, buffer, 0);
  return {reinterpret_cast<const char*>(buffer), result.bytes};
}

}  // namespace

TEST_CASE("files below a directory open and read", "[os]") {
  const Tree tree;
  tree.link("sub/deep.txt", "inner-link");
  for (const auto& [name, content] : {std::pair{"file.txt", "inside"},
                                      {"sub/deep.txt", "deep"},
                                      {"inner-link", "deep"},
                                      {"sub/../file.txt", "inside"}}) {
    CAPTURE(name);
    const auto file = open_beneath(tree.root.get(), name);
    REQUIRE(file.has_value());
    CHECK(content_of(file->get()) == content);
  }
}

TEST_CASE("no way leads out of the directory", "[os]") {
  const Tree tree;
  tree.link("../secret", "relative-link");
  tree.link(tree.directory / "secret", "absolute-link");
  tree.link(tree.directory / "root/file.txt", "absolute-link-inside");
  tree.link("..", "parent-link");
  tree.link("loop", "loop");
  for (const char* name : {"../secret", "/etc/passwd", "sub/../../secret", "relative-link",
                           "absolute-link", "absolute-link-inside", "parent-link/secret", ".."}) {
    CAPTURE(name);
    CHECK(tree.error_of(name) == EXDEV);
  }
  CHECK(tree.error_of("loop") == ELOOP);
  CHECK(tree.error_of("missing") == ENOENT);
  CHECK(tree.error_of("file.txt/x") == ENOTDIR);
  CHECK(tree.error_of("") == ENOENT);
}

TEST_CASE("a link of /proc that jumps is not followed", "[os]") {
  const auto proc = open_directory("/proc/self");
  REQUIRE(proc.has_value());
  const auto cwd = open_beneath(proc->get(), "cwd");
  REQUIRE(cwd.has_error());
  CHECK(cwd.error().value() == ELOOP);
}

TEST_CASE("a directory must be one", "[os]") {
  const Tree tree;
  CHECK(open_directory(tree.directory / "secret").error().value() == ENOTDIR);
  CHECK(open_directory(tree.directory / "missing").error().value() == ENOENT);
}

TEST_CASE("the status tells size, time and kind, and a FIFO does not block", "[os]") {
  const Tree tree;
  REQUIRE(::mkfifo((tree.directory / "root/fifo").c_str(), 0600) == 0);
  const auto file = open_beneath(tree.root.get(), "file.txt");
  const auto directory = open_beneath(tree.root.get(), "sub");
  const auto fifo = open_beneath(tree.root.get(), "fifo");
  REQUIRE(file.has_value());
  REQUIRE(directory.has_value());
  REQUIRE(fifo.has_value());
  const auto status = status_of(file->get());
  REQUIRE(status.has_value());
  CHECK(status->size == 6);
  CHECK(status->is_regular);
  CHECK_FALSE(status->is_directory);
  CHECK(std::abs(status->modified_seconds - wall_clock_nanoseconds() / 1'000'000'000) < 60);
  CHECK(status_of(directory->get())->is_directory);
  CHECK_FALSE(status_of(fifo->get())->is_regular);
  CHECK_FALSE(status_of(fifo->get())->is_directory);
}

TEST_CASE("read_at reads from an offset and says where the file ends", "[os]") {
  const Tree tree;
  const auto file = open_beneath(tree.root.get(), "file.txt");
  REQUIRE(file.has_value());
  std::byte buffer[4];
  const IoResult tail = read_at(file->get(), buffer, 4);
  CHECK(tail.status == IoStatus::moved);
  CHECK(tail.bytes == 2);
  CHECK(static_cast<char>(buffer[0]) == 'd');
  CHECK(read_at(file->get(), buffer, 6).status == IoStatus::end);
  CHECK(read_at(tree.root.get(), buffer, 0).status == IoStatus::failed);
}

TEST_CASE("send_file sends a part, moves its offset, and notices the end", "[os]") {
  const Tree tree;
  const Pair pair = tcp_pair();
  const auto file = open_beneath(tree.root.get(), "file.txt");
  REQUIRE(file.has_value());
  std::uint64_t offset = 2;
  const IoResult part = send_file(pair.client.get(), file->get(), offset, 3);
  CHECK(part.status == IoStatus::moved);
  CHECK(part.bytes == 3);
  CHECK(offset == 5);
  CHECK(send_file(pair.client.get(), file->get(), offset, 100).bytes == 1);
  CHECK(send_file(pair.client.get(), file->get(), offset, 100).status == IoStatus::end);
  CHECK(read_exactly(pair.server.get(), 4) == "side");
}

TEST_CASE("send_file into a full socket would block, and into a reset one fails", "[os]") {
  ignore_broken_pipes();
  const Tree tree;
  std::filesystem::resize_file(tree.directory / "root/file.txt", 32 << 20);
  const auto file = open_beneath(tree.root.get(), "file.txt");
  REQUIRE(file.has_value());
  Pair pair = tcp_pair();
  std::uint64_t offset = 0;
  IoResult result{.status = IoStatus::moved};
  while (result.status == IoStatus::moved)
    result = send_file(pair.client.get(), file->get(), offset, 1 << 20);
  CHECK(result.status == IoStatus::would_block);
  CHECK(offset > 0);
  reset_on_close(pair.server.get());
  pair.server.reset();
  REQUIRE(await_events(pair.client.get(), POLLHUP));
  CHECK(send_file(pair.client.get(), file->get(), offset, 1 << 20).status == IoStatus::failed);
}

}  // namespace penstock::os
