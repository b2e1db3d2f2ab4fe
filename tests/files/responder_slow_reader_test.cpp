#include <fstream>
#include <random>

#include "files/client.hpp"

namespace penstock::files {

using testing::TemporaryDirectory;

namespace {

constexpr std::uint64_t large_bytes = 50 << 20;

// Sparse, with a mark in every mebibyte, so that a lost, doubled or moved block shows.
void write_sparse(const std::string& path) {
  std::ofstream file{path, std::ios::binary};
  for (std::uint64_t at = 0; at < large_bytes; at += 1 << 20) {
    file.seekp(static_cast<std::streamoff>(at));
    file << "mark " << at << '\n';
  }
  file.close();
  std::filesystem::resize_file(path, large_bytes);
}

os::SocketOptions small_buffers() {
  os::SocketOptions options;
  options.send_buffer = 32 * 1024;
  options.receive_buffer = 32 * 1024;
  return options;
}

std::string whole_file(const std::string& path) {
  std::string content(std::filesystem::file_size(path), '\0');
  std::ifstream{path, std::ios::binary}.read(content.data(),
                                             static_cast<std::streamsize>(content.size()));
  return content;
}

}  // namespace

TEST_CASE("a slow reader gets a large file byte for byte", "[files]") {
  const TemporaryDirectory directory;
  write_sparse(directory / "large.bin");
  Connection connection{site_at(directory.path())};
  connection.send(get("/large.bin", "Connection: close\r\n"));
  std::mt19937 random{5};
  std::string text;
  text.reserve(large_bytes + 1024);
  int blocked = 0;
  Outcome outcome = Outcome::hungry;
  while (!connection.responder().has_finished_sending()) {
    outcome = connection.run(256 * 1024);
    REQUIRE(outcome != Outcome::socket_failed);
    if (outcome == Outcome::wait_writable) ++blocked;
    if (outcome == Outcome::hungry && random() % 4 != 0) continue;
    text += testing::read_some(connection.client(), 1 + random() % (512 * 1024));
  }
  text += testing::read_to_end(connection.client());
  const Response response = take_response(text);
  CHECK(text.empty());
  CHECK(blocked > 0);
  CHECK(response.body.size() == large_bytes);
  CHECK((response.body == whole_file(directory / "large.bin")));
  CHECK(connection.responder().bytes_sent_by_sendfile() == large_bytes);
}

TEST_CASE("a file that is cut while it is sent fails the connection", "[files]") {
  const TemporaryDirectory directory;
  write_sparse(directory / "large.bin");
  Connection connection{site_at(directory.path()), small_buffers()};
  connection.send(get("/large.bin"));
  REQUIRE(connection.run_on() == Outcome::wait_writable);
  const std::uint64_t sent = connection.responder().bytes_sent_by_sendfile();
  std::filesystem::resize_file(directory / "large.bin", sent + 10'000);
  Outcome outcome = Outcome::wait_writable;
  while (outcome == Outcome::wait_writable || outcome == Outcome::hungry) {
    testing::read_some(connection.client());
    outcome = connection.run();
  }
  CHECK(outcome == Outcome::file_failed);
  CHECK(connection.responder().bytes_sent_by_sendfile() < large_bytes);
}

TEST_CASE("a file that grows while it is sent keeps its promised length", "[files]") {
  const TemporaryDirectory directory;
  directory.write("file", std::string(200'000, 'x'));
  Connection connection{site_at(directory.path()), small_buffers()};
  connection.send(get("/file"));
  REQUIRE(connection.run_on() == Outcome::wait_writable);
  std::filesystem::resize_file(directory / "file", 400'000);
  std::string text;
  Outcome outcome = Outcome::wait_writable;
  while (outcome != Outcome::wait_readable) {
    text += testing::read_some(connection.client());
    outcome = connection.run_on();
    REQUIRE(outcome != Outcome::socket_failed);
  }
  text += connection.read_available();
  CHECK(take_response(text).body == std::string(200'000, 'x'));
  CHECK(text.empty());
}

TEST_CASE("requests that arrive while an answer is blocked are not forgotten", "[files]") {
  const TemporaryDirectory directory;
  directory.write("file", std::string(300'000, 'x'));
  directory.write("next", "next");
  Connection connection{site_at(directory.path()), small_buffers()};
  connection.send(get("/file"));
  REQUIRE(connection.run_on() == Outcome::wait_writable);
  connection.send(get("/next"));
  connection.finish_sending();
  std::string text;
  while (connection.run_on() == Outcome::wait_writable)
    text += testing::read_some(connection.client());
  text += connection.close_and_read();
  CHECK(take_response(text).body.size() == 300'000);
  CHECK(take_response(text).body == "next");
  CHECK(text.empty());
}

TEST_CASE("a client that resets while an answer is blocked is failed", "[files]") {
  const TemporaryDirectory directory;
  write_sparse(directory / "large.bin");
  Connection connection{site_at(directory.path()), small_buffers()};
  connection.send(get("/large.bin"));
  REQUIRE(connection.run_on() == Outcome::wait_writable);
  connection.reset_client();
  connection.await_events(POLLHUP);
  CHECK(connection.run_on() == Outcome::socket_failed);
}

}  // namespace penstock::files
