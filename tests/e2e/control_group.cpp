#include "e2e/control_group.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <fstream>

#include "e2e/waiting.hpp"

namespace penstock::e2e {

namespace {

std::string next_path(const std::string& controller) {
  static std::atomic<int> next{0};
  return fmt::format("/sys/fs/cgroup/{}/penstock-e2e-{}-{}", controller, ::getpid(), next++);
}

// A group of CPUs is born without any, and takes nobody in then.
void inherit_cpus(const std::string& path) {
  for (const char* file : {"/cpuset.cpus", "/cpuset.mems"}) {
    std::ifstream parent{path + "/.." + file};
    std::ofstream{path + file} << parent.rdbuf();
  }
}

}  // namespace

bool can_make_group(const std::string& controller) {
  const std::string path = next_path(controller);
  if (::access(("/sys/fs/cgroup/" + controller + "/cgroup.procs").c_str(), R_OK) != 0) return false;
  return ::mkdir(path.c_str(), 0755) == 0 && ::rmdir(path.c_str()) == 0;
}

ControlGroup::ControlGroup(const std::string& controller) : path_{next_path(controller)} {
  if (::mkdir(path_.c_str(), 0755) != 0) fail_with_errno("cannot make " + path_);
  if (controller == "cpuset") inherit_cpus(path_);
}

ControlGroup::~ControlGroup() {
  // A process that has just ended may still be on its way out.
  try {
    wait_until(
        "the group is empty", [this] { return ::rmdir(path_.c_str()) == 0; }, 5s);
  } catch (const Failure&) {
    // It stays behind, empty or not; the test has its verdict.
  }
}

void ControlGroup::set(const std::string& file, const std::string& value) const {
  std::ofstream out{path_ + "/" + file};
  out << value << std::flush;
  if (!out.good()) throw Failure{"cannot write " + value + " to " + path_ + "/" + file};
}

std::uint64_t ControlGroup::get(const std::string& file) const {
  std::ifstream in{path_ + "/" + file};
  std::uint64_t value = 0;
  if (!(in >> value)) throw Failure{"cannot read " + path_ + "/" + file};
  return value;
}

std::uint64_t ControlGroup::get(const std::string& file, const std::string& name) const {
  std::ifstream in{path_ + "/" + file};
  std::string word;
  for (std::uint64_t value = 0; in >> word >> value;)
    if (word == name) return value;
  return 0;
}

}  // namespace penstock::e2e
