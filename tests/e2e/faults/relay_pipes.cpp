#include "e2e/faults/relay_pipes.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "e2e/waiting.hpp"

namespace penstock::e2e {

namespace {

namespace fs = std::filesystem;

// "pipe:[INODE]", or what else it is; empty where it was closed meanwhile.
std::string kind_of(const fs::path& descriptor) {
  std::error_code gone;
  return fs::read_symlink(descriptor, gone).string();
}

}  // namespace

std::vector<PipeFill> relay_pipes(const Program& program) {
  const fs::path folder = "/proc/" + std::to_string(program.id()) + "/fd";
  std::set<std::string> seen{kind_of(folder / "0"), kind_of(folder / "1"), kind_of(folder / "2")};
  std::vector<PipeFill> pipes;
  for (const auto& entry : fs::directory_iterator{folder}) {
    const std::string kind = kind_of(entry.path());
    if (!kind.starts_with("pipe:") || !seen.insert(kind).second) continue;
    const int end = ::open(entry.path().c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (end < 0) continue;
    int bytes = 0;
    ::ioctl(end, FIONREAD, &bytes);
    pipes.push_back({.bytes = static_cast<std::size_t>(bytes),
                     .capacity = static_cast<std::size_t>(::fcntl(end, F_GETPIPE_SZ))});
    ::close(end);
  }
  return pipes;
}

std::vector<PipeFill> filled_pipes(const Program& program) {
  std::vector<PipeFill> pipes = relay_pipes(program);
  std::erase_if(pipes, [](const PipeFill& pipe) { return pipe.bytes == 0; });
  return pipes;
}

std::vector<PipeFill> await_filled_pipes(const Program& program, std::size_t count) {
  std::vector<PipeFill> pipes;
  wait_until(fmt::format("{} pipes hold bytes", count), [&] {
    pipes = filled_pipes(program);
    return pipes.size() == count;
  });
  return pipes;
}

}  // namespace penstock::e2e
