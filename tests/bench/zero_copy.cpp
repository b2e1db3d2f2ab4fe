// A file goes over loopback by one technique; prints the wall, user and system seconds of the
// sender as JSON. The receiver is a process of its own that discards in the kernel, so that nothing
// of it is counted.
//
//   zero_copy --file PATH --technique copy|sendfile|splice|zerocopy --times 10
//
// copy: read() into 64 KiB and send(). splice: through a pipe of 1 MiB. zerocopy: read() into one
// of 16 buffers of 256 KiB and send(MSG_ZEROCOPY); a buffer is used again after its completion has
// been read from the error queue.

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

namespace {

constexpr std::size_t copy_bytes = 64 << 10;
constexpr int pipe_bytes = 1 << 20;
constexpr std::size_t buffer_bytes = 256 << 10;
constexpr std::size_t buffers = 16;

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

std::size_t checked(ssize_t result, const char* what) {
  if (result < 0) die(what);
  return static_cast<std::size_t>(result);
}

void send_all(int socket, const char* bytes, std::size_t count) {
  while (count > 0) {
    const std::size_t sent = checked(::send(socket, bytes, count, MSG_NOSIGNAL), "send");
    bytes += sent;
    count -= sent;
  }
}

void by_copy(int file, int socket, std::size_t) {
  static char buffer[copy_bytes];
  while (const std::size_t count = checked(::read(file, buffer, sizeof buffer), "read"))
    send_all(socket, buffer, count);
}

void by_sendfile(int file, int socket, std::size_t bytes) {
  while (bytes > 0) bytes -= checked(::sendfile(socket, file, nullptr, bytes), "sendfile");
}

void by_splice(int file, int socket, std::size_t) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) die("pipe");
  ::fcntl(ends[1], F_SETPIPE_SZ, pipe_bytes);
  const unsigned flags = SPLICE_F_MOVE | SPLICE_F_MORE;
  while (std::size_t count =
             checked(::splice(file, nullptr, ends[1], nullptr, pipe_bytes, flags), "splice"))
    while (count > 0)
      count -= checked(::splice(ends[0], nullptr, socket, nullptr, count, flags), "splice");
  ::close(ends[0]);
  ::close(ends[1]);
}

// What a completion said of any send: the kernel had to copy after all.
bool kernel_copied = false;

// Sends of one socket are numbered from 0; a completion names a range of them.
class ZeroCopySender {
 public:
  explicit ZeroCopySender(int socket) : socket_{socket} {
    const int on = 1;
    if (::setsockopt(socket, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on) != 0) die("SO_ZEROCOPY");
    void* memory = ::mmap(nullptr, buffers * buffer_bytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED) die("mmap");
    for (std::size_t i = 0; i < buffers; ++i)
      free_.push_back(static_cast<char*>(memory) + i * buffer_bytes);
  }
  char* take() {
    while (free_.empty()) await_completion();
    char* buffer = free_.back();
    free_.pop_back();
    return buffer;
  }
  void send(char* buffer, std::size_t count) {
    const char* at = buffer;
    while (count > 0) {
      const ssize_t sent = ::send(socket_, at, count, MSG_ZEROCOPY | MSG_NOSIGNAL);
      if (sent < 0 && errno == ENOBUFS) {  // net.core.optmem_max: completions first
        await_completion();
        continue;
      }
      const std::size_t took = checked(sent, "send");
      at += took;
      count -= took;
      // The buffer is free when the last send that read from it is complete.
      pending_[next_++] = count == 0 ? buffer : nullptr;
    }
  }
  void finish() {
    while (!pending_.empty()) await_completion();
  }

 private:
  void await_completion() {
    pollfd entry{.fd = socket_, .events = 0, .revents = 0};  // POLLERR always counts
    ::poll(&entry, 1, -1);
    char control[128];
    msghdr message{};
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    if (::recvmsg(socket_, &message, MSG_ERRQUEUE) < 0) {
      if (errno == EAGAIN) return;
      die("error queue");
    }
    sock_extended_err error{};
    std::memcpy(&error, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof error);
    kernel_copied = kernel_copied || (error.ee_code & SO_EE_CODE_ZEROCOPY_COPIED) != 0;
    for (std::uint32_t number = error.ee_info; number != error.ee_data + 1; ++number) {
      const auto sent = pending_.find(number);
      if (sent->second != nullptr) free_.push_back(sent->second);
      pending_.erase(sent);
    }
  }

  int socket_;
  std::uint32_t next_ = 0;
  std::map<std::uint32_t, char*> pending_;
  std::vector<char*> free_;
};

void by_zerocopy(int file, int socket, std::size_t) {
  static ZeroCopySender* const sender = new ZeroCopySender{socket};
  for (;;) {
    char* buffer = sender->take();
    const std::size_t count = checked(::read(file, buffer, buffer_bytes), "read");
    if (count == 0) break;
    sender->send(buffer, count);
  }
  sender->finish();
}

using Technique = void (*)(int file, int socket, std::size_t bytes);
const std::map<std::string, Technique> techniques{
    {"copy", by_copy}, {"sendfile", by_sendfile}, {"splice", by_splice}, {"zerocopy", by_zerocopy}};

// A connected socket; the other end is read and thrown away by a child.
int socket_to_a_sink(pid_t& child) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      ::listen(listener, 1) != 0)
    die("listen");
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
  child = ::fork();
  if (child == 0) {
    const int sink = ::accept(listener, nullptr, nullptr);
    while (::recv(sink, nullptr, 1 << 20, MSG_TRUNC) > 0) {
    }
    ::_exit(0);
  }
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address), length) != 0) die("connect");
  ::close(listener);
  return socket;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

}  // namespace

int main(int argc, char** argv) {
  std::string path;
  std::string technique;
  int times = 1;
  CLI::App app{"A file over loopback by one technique"};
  app.add_option("--file", path)->required();
  app.add_option("--technique", technique)->required()->check(CLI::IsMember(techniques));
  app.add_option("--times", times);
  CLI11_PARSE(app, argc, argv);
  pid_t sink = 0;
  const int socket = socket_to_a_sink(sink);
  rusage before{};
  ::getrusage(RUSAGE_SELF, &before);
  const auto begin = std::chrono::steady_clock::now();
  std::uint64_t bytes = 0;
  for (int i = 0; i < times; ++i) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status {};
    if (file < 0 || ::fstat(file, &status) != 0) die("open");
    techniques.at(technique)(file, socket, static_cast<std::size_t>(status.st_size));
    bytes += static_cast<std::uint64_t>(status.st_size);
    ::close(file);
  }
  ::close(socket);
  ::waitpid(sink, nullptr, 0);
  const double wall =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  rusage after{};
  ::getrusage(RUSAGE_SELF, &after);
  fmt::print(
      "{{\"bytes\": {}, \"wall\": {:.4f}, \"user\": {:.4f}, \"sys\": {:.4f}, "
      "\"copied\": {}}}\n",
      bytes, wall, seconds(after.ru_utime) - seconds(before.ru_utime),
      seconds(after.ru_stime) - seconds(before.ru_stime), kernel_copied);
  return 0;
}
