// What io_uring does that the loop on it relies on.

#include <fcntl.h>
#include <liburing.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>

#include "kernel/kernel.hpp"

using namespace penstock::kernel;

namespace {

struct Answer {
  std::uint64_t name;
  int result;
  unsigned flags;
};

class Ring {
 public:
  Ring() {
    io_uring_params params{};
    params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
    made_ = ::io_uring_queue_init_params(64, &ring_, &params);
  }
  ~Ring() {
    if (made_ == 0) ::io_uring_queue_exit(&ring_);
  }

  bool is_refused() const { return made_ != 0; }
  io_uring_sqe* request(std::uint64_t name) {
    io_uring_sqe* const made = ::io_uring_get_sqe(&ring_);
    ::io_uring_sqe_set_data64(made, name);
    return made;
  }
  void tell() { ::io_uring_submit_and_get_events(&ring_); }
  std::optional<Answer> answer(int milliseconds = 5000) {
    __kernel_timespec limit{0, milliseconds * 1'000'000LL};
    if (milliseconds >= 1000) limit = {milliseconds / 1000, 0};
    io_uring_cqe* entry = nullptr;
    if (::io_uring_submit_and_wait_timeout(&ring_, &entry, 1, &limit, nullptr) < 0 ||
        entry == nullptr)
      return std::nullopt;
    const Answer answer{entry->user_data, entry->res, entry->flags};
    ::io_uring_cqe_seen(&ring_, entry);
    return answer;
  }

 private:
  io_uring ring_{};
  int made_ = -1;
};

bool skipped(const Ring& ring) {
  if (ring.is_refused()) WARN("skipped: io_uring is refused here, and penstock stays with epoll");
  return ring.is_refused();
}

// Threads of this process that the kernel made to work for a ring.
std::size_t workers() {
  std::size_t count = 0;
  for (const auto& task : std::filesystem::directory_iterator{"/proc/self/task"}) {
    std::string name(32, '\0');
    const Fd file{::open((task.path() / "comm").c_str(), O_RDONLY | O_CLOEXEC)};
    const ssize_t bytes = ::read(file, name.data(), name.size());
    name.resize(bytes > 0 ? static_cast<std::size_t>(bytes) : 0);
    if (name.starts_with("iou-wrk")) ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("splice on a ring runs in a worker thread", "[kernel]") {
  INFO("so bulk is spliced by call, and the ring only tells when there is something");
  Ring ring;
  if (skipped(ring)) return;
  Pair pair = tcp_pair();
  const Pipe pipe = new_pipe(1 << 16);
  REQUIRE(send_to(pair.peer, "abc") == 3);
  REQUIRE(await(pair.ours, POLLIN));
  CHECK(workers() == 0);
  ::io_uring_prep_splice(ring.request(1), pair.ours, -1, pipe.write_end, -1, 1 << 16,
                         SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  const auto answer = ring.answer();
  REQUIRE(answer);
  CHECK(answer->result == 3);
  CHECK(workers() > 0);
}

TEST_CASE("a request under way keeps its socket open, until it is taken back", "[kernel]") {
  INFO("os::Ring::close() takes its requests back before it closes");
  Ring ring;
  if (skipped(ring)) return;
  Pair pair = tcp_pair();
  ::io_uring_prep_poll_multishot(ring.request(1), pair.ours, POLLIN);
  ring.tell();
  pair.ours.close();
  std::string text;
  CHECK(receive(pair.peer, text) == -EAGAIN);  // no FIN came, although it is closed
  ::io_uring_prep_cancel64(ring.request(2), 1, 0);
  ring.tell();
  REQUIRE(await(pair.peer, POLLRDHUP));
  CHECK(receive(pair.peer, text) == 0);
}

TEST_CASE("requests are taken up in order: a number is free only behind its close", "[kernel]") {
  INFO("a receive that was asked for before the close cannot meet the next socket of that number");
  Ring ring;
  if (skipped(ring)) return;
  Pair pair = tcp_pair();
  const int number = ::fcntl(pair.ours, F_DUPFD_CLOEXEC, 100);
  ::io_uring_prep_poll_add(ring.request(1), number, POLLIN);
  ::io_uring_prep_close(ring.request(2), number);
  ::io_uring_prep_poll_add(ring.request(3), number, POLLIN);
  std::array<int, 4> results{};
  for (int i = 0; i < 2; ++i) {
    const auto answer = ring.answer();
    REQUIRE(answer);
    results[answer->name] = answer->result;
  }
  CHECK(results[2] == 0);
  CHECK(results[3] == -EBADF);
  CHECK(results[1] == 0);  // still under way
  REQUIRE(send_to(pair.peer, "x") == 1);
  const auto answer = ring.answer();
  REQUIRE(answer);
  CHECK(answer->name == 1);
}

TEST_CASE("what is received is received in the wait, and not before", "[kernel]") {
  INFO("IORING_SETUP_DEFER_TASKRUN: bytes do not move behind the forwarder's back");
  Ring ring;
  if (skipped(ring)) return;
  Pair pair = tcp_pair();
  char byte = 0;
  ::io_uring_prep_recv(ring.request(1), pair.ours, &byte, 1, 0);
  ring.tell();
  REQUIRE(send_to(pair.peer, "x") == 1);
  REQUIRE(await(pair.ours, POLLIN));
  CHECK(await_unread(pair.ours, 1));
  CHECK(byte == 0);
  const auto answer = ring.answer();
  REQUIRE(answer);
  CHECK(answer->result == 1);
  CHECK(byte == 'x');
}

TEST_CASE("a receive takes the error of a reset with it, and no call tells it again", "[kernel]") {
  INFO("os::Event::error: whoever drops it takes a reset for FIN");
  Ring ring;
  if (skipped(ring)) return;
  Pair pair = tcp_pair();
  char byte = 0;
  ::io_uring_prep_recv(ring.request(1), pair.ours, &byte, 1, 0);
  ring.tell();
  const linger at_once{1, 0};
  ::setsockopt(pair.peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  pair.peer.close();
  const auto answer = ring.answer();
  REQUIRE(answer);
  CHECK(answer->result == -ECONNRESET);
  std::string text;
  CHECK(receive(pair.ours, text) == 0);
}
