#include "os/cgroup.hpp"

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <string_view>

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

std::optional<std::uint64_t> bytes_in(const std::string& file) {
  const std::string text = read_file(file, 64).text;  // "max" in version 2
  char* end = nullptr;
  const std::uint64_t bytes = std::strtoull(text.c_str(), &end, 10);
  // Version 1 says "no limit" by a number that no machine has.
  if (end == text.c_str() || bytes == 0 || bytes >= std::uint64_t{1} << 60) return std::nullopt;
  return bytes;
}

std::optional<std::uint64_t> memory_v2(const std::string& directory) {
  return bytes_in(directory + "/memory.max");
}

std::optional<std::uint64_t> memory_v1(const std::string& directory) {
  return bytes_in(directory + "/memory.limit_in_bytes");
}

enum class Version : std::uint8_t { v1, v2 };

// Inside a container the path of /proc/self/cgroup may name a directory that only the host has; the
// mount's root is then our own group, and the walk upwards ends there in any case.
template <class Visit>
void walk_up(const std::string& mount, std::string path, Visit&& visit) {
  while (true) {
    visit(mount + path);
    const auto slash = path.find_last_of('/');
    if (slash == std::string::npos || path == "/") return;
    path.resize(slash);
  }
}

// Our own group of this controller and every one above it.
template <class Visit>
void for_each_group(const std::string& root, const std::string& controller, Visit&& visit) {
  std::istringstream lines{read_file(root + "/proc/self/cgroup", 64 * 1024).text};
  // Lines are hierarchy:controllers:path; v2 has hierarchy 0 and no controllers.
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = ',' + line.substr(first + 1, second - first - 1) + ',';
    const std::string path = line.substr(second + 1);
    if (controllers == ",,")
      walk_up(root + "/sys/fs/cgroup", path,
              [&](const std::string& group) { visit(group, Version::v2); });
    else if (controllers.find(',' + controller + ',') != std::string::npos)
      walk_up(root + "/sys/fs/cgroup/" + controller, path,
              [&](const std::string& group) { visit(group, Version::v1); });
  }
}

template <class Value>
using Read = std::optional<Value> (*)(const std::string& directory);

template <class Value>
std::optional<Value> smallest_below(const std::string& root, const std::string& controller,
                                    Read<Value> read_v2, Read<Value> read_v1) {
  std::optional<Value> smallest;
  for_each_group(root, controller, [&](const std::string& group, Version version) {
    if (const auto limit = version == Version::v2 ? read_v2(group) : read_v1(group))
      smallest = std::min(smallest.value_or(*limit), *limit);
  });
  return smallest;
}

// The number behind a word of memory.stat; 0 where it is not there.
std::uint64_t memory_stat(const std::string& group, std::string_view wanted) {
  std::istringstream lines{read_file(group + "/memory.stat", 64 * 1024).text};
  std::string key;
  for (std::uint64_t value = 0; lines >> key >> value;)
    if (key == wanted) return value;
  return 0;
}

std::optional<double> memory_share(const std::string& group, Version version) {
  const bool is_new = version == Version::v2;
  const auto limit = is_new ? memory_v2(group) : memory_v1(group);
  const auto used = bytes_in(group + (is_new ? "/memory.current" : "/memory.usage_in_bytes"));
  if (!limit || !used) return std::nullopt;
  const std::uint64_t idle = memory_stat(group, is_new ? "inactive_file" : "total_inactive_file");
  return static_cast<double>(*used - std::min(idle, *used)) / static_cast<double>(*limit);
}

void add_throttling(CpuThrottling& total, const std::string& group, Version version) {
  std::istringstream lines{read_file(group + "/cpu.stat", 4096).text};
  std::string key;
  for (std::int64_t value = 0; lines >> key >> value;) {
    if (key == "nr_throttled") total.periods += static_cast<std::uint64_t>(value);
    if (version == Version::v2 && key == "throttled_usec")
      total.time += std::chrono::microseconds{value};
    if (version == Version::v1 && key == "throttled_time")
      total.time += std::chrono::nanoseconds{value};
  }
}

}  // namespace

std::optional<double> cpu_quota_below(const std::string& root) {
  return smallest_below<double>(root, "cpu", quota_v2, quota_v1);
}

std::optional<double> cpu_quota() {
  return cpu_quota_below("");
}

std::optional<std::uint64_t> memory_limit_below(const std::string& root) {
  return smallest_below<std::uint64_t>(root, "memory", memory_v2, memory_v1);
}

std::optional<std::uint64_t> memory_limit() {
  return memory_limit_below("");
}

std::optional<double> memory_share_used(const std::string& root) {
  std::optional<double> largest;
  for_each_group(root, "memory", [&](const std::string& group, Version version) {
    if (const auto share = memory_share(group, version))
      largest = std::max(largest.value_or(0), *share);
  });
  return largest;
}

CpuThrottling cpu_throttling(const std::string& root) {
  CpuThrottling total;
  for_each_group(
      root == "/" ? std::string{} : root, "cpu",
      [&](const std::string& group, Version version) { add_throttling(total, group, version); });
  return total;
}

}  // namespace penstock::os
