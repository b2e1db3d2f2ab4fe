#pragma once
// A control group (cgroup v1) of the test's own, for a proxy that gets little memory or CPU time.
//
//   ControlGroup group{"memory"};
//   group.set("memory.limit_in_bytes", "64M");
//   Penstock penstock{{.program = {.control_group = group.processes()}}};
//
// Owner    the test; made before the program that enters it, and goes after it.
// Needs    the controller mounted where everybody has it, and the right to make groups:
//          can_make_group().
// Errors   Failure.

#include <cstdint>
#include <string>

namespace penstock::e2e {

bool can_make_group(const std::string& controller);

class ControlGroup {
 public:
  explicit ControlGroup(const std::string& controller);
  ControlGroup(const ControlGroup&) = delete;
  ControlGroup& operator=(const ControlGroup&) = delete;
  ~ControlGroup();

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
