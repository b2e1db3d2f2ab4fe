#include "os/cgroup.hpp"

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "os/process.hpp"

namespace penstock::os {

namespace {

std::optional<double> quota_v2(const std::string& directory) {
  std::istringstream text{read_file(directory + "/cpu.max", 128).text};
  std::string quota;
  double period = 0;
  if (!(text >> quota >> period) || quota == "max" || period <= 0) return std::nullopt;
  const double microseconds = std::strtod(quota.c_str(), nullptr);
  if (microseconds <= 0) return std::nullopt;
  return microseconds / period;
}

std::optional<double> quota_v1(const std::string& directory) {
  const auto quota =
      std::strtod(read_file(directory + "/cpu.cfs_quota_us", 64).text.c_str(), nullptr);
  const auto period =
      std::strtod(read_file(directory + "/cpu.cfs_period_us", 64).text.c_str(), nullptr);
  if (quota <= 0 || period <= 0) return std::nullopt;
  return quota / period;
}

void take_smaller(std::optional<double>& smallest, std::optional<double> quota) {
  if (quota) smallest = std::min(smallest.value_or(*quota), *quota);
}

// Inside a container the path of /proc/self/cgroup may name a directory that only the host has; the
// mount's root is then our own group, and the walk upwards ends there in any case.
template <class Read>
void walk_up(std::optional<double>& smallest, const std::string& mount, std::string path,
             Read&& read) {
  while (true) {
    take_smaller(smallest, read(mount + path));
    const auto slash = path.find_last_of('/');
    if (slash == std::string::npos || path == "/") return;
    path.resize(slash);
  }
}

}  // namespace

std::optional<double> cpu_quota_below(const std::string& root) {
  std::optional<double> smallest;
  std::istringstream lines{read_file(root + "/proc/self/cgroup", 64 * 1024).text};
  // Lines are hierarchy:controllers:path; v2 has hierarchy 0 and no controllers.
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = ',' + line.substr(first + 1, second - first - 1) + ',';
    const std::string path = line.substr(second + 1);
    if (controllers == ",,")
      walk_up(smallest, root + "/sys/fs/cgroup", path, quota_v2);
    else if (controllers.find(",cpu,") != std::string::npos)
      walk_up(smallest, root + "/sys/fs/cgroup/cpu", path, quota_v1);
  }
  return smallest;
}

std::optional<double> cpu_quota() {
  return cpu_quota_below("");
}

}  // namespace penstock::os
