#include "e2e/faults/memory_group.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <fstream>

#include "e2e/waiting.hpp"

namespace penstock::e2e {

namespace {

const std::string controller = "/sys/fs/cgroup/memory";

std::string next_path() {
  static std::atomic<int> next{0};
  return controller + "/penstock-e2e-" + std::to_string(::getpid()) + "-" + std::to_string(next++);
}

}  // namespace

bool can_limit_memory() {
  const std::string path = next_path();
  if (::access((controller + "/memory.limit_in_bytes").c_str(), R_OK) != 0) return false;
  return ::mkdir(path.c_str(), 0755) == 0 && ::rmdir(path.c_str()) == 0;
}

MemoryGroup::MemoryGroup() : path_{next_path()} {
  if (::mkdir(path_.c_str(), 0755) != 0) fail_with_errno("cannot make " + path_);
}

MemoryGroup::~MemoryGroup() {
  // A process that has just ended may still be on its way out.
  try {
    wait_until(
        "the group is empty", [this] { return ::rmdir(path_.c_str()) == 0; }, 5s);
  } catch (const Failure&) {
    // It stays behind, empty or not; the test has its verdict.
  }
}

void MemoryGroup::set(const std::string& file, const std::string& value) const {
  std::ofstream out{path_ + "/" + file};
  out << value << std::flush;
  if (!out.good()) throw Failure{"cannot write " + value + " to " + path_ + "/" + file};
}

std::uint64_t MemoryGroup::get(const std::string& file) const {
  std::ifstream in{path_ + "/" + file};
  std::uint64_t value = 0;
  if (!(in >> value)) throw Failure{"cannot read " + path_ + "/" + file};
  return value;
}

std::uint64_t MemoryGroup::get(const std::string& file, const std::string& name) const {
  std::ifstream in{path_ + "/" + file};
  std::string word;
  for (std::uint64_t value = 0; in >> word >> value;)
    if (word == name) return value;
  return 0;
}

}  // namespace penstock::e2e
