#pragma once
// A memory control group (cgroup v1) of the test's own, for a proxy that gets little memory.
//
//   MemoryGroup group;
//   group.set("memory.limit_in_bytes", "64M");
//   House house{{.program = {.control_group = group.processes()}}};
//
// Owner    the test; made before the program that enters it, and goes after it.
// Needs    the controller mounted where everybody has it, and the right to make groups:
//          can_limit_memory().
// Errors   Failure.

#include <cstdint>
#include <string>

namespace penstock::e2e {

bool can_limit_memory();

class MemoryGroup {
 public:
  MemoryGroup();
  MemoryGroup(const MemoryGroup&) = delete;
  MemoryGroup& operator=(const MemoryGroup&) = delete;
  ~MemoryGroup();

  void set(const std::string& file, const std::string& value) const;
  std::uint64_t get(const std::string& file) const;
  // A number of a file of "name number" lines; 0 where there is none.
  std::uint64_t get(const std::string& file, const std::string& name) const;
  // Where a process writes itself in.
  std::string processes() const { return path_ + "/cgroup.procs"; }

 private:
  std::string path_;
};

}  // namespace penstock::e2e
