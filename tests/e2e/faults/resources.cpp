#include "e2e/faults/resources.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "e2e/waiting.hpp"

namespace penstock::e2e {

namespace {

namespace fs = std::filesystem;

// "Name:   12345 kB"
long kib_in(const std::string& path, const std::string& name) {
  std::ifstream file{path};
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(name + ":")) return std::stol(line.substr(name.size() + 1));
  return 0;
}

}  // namespace

std::map<std::string, std::size_t> descriptors_by_kind(int process) {
  std::map<std::string, std::size_t> kinds;
  for (const auto& entry : fs::directory_iterator{"/proc/" + std::to_string(process) + "/fd"}) {
    std::error_code gone;
    const std::string target = fs::read_symlink(entry.path(), gone).string();
    if (gone) continue;
    // "socket:[123]" and "pipe:[123]": the number is the object's.
    const auto number = target.find(":[");
    const bool numbered = target.starts_with("socket:") || target.starts_with("pipe:");
    ++kinds[numbered ? target.substr(0, number) : target];
  }
  return kinds;
}

int thread_named(int process, const std::string& name) {
  int thread = 0;
  const auto look = [&] {
    for (const auto& entry : fs::directory_iterator{"/proc/" + std::to_string(process) + "/task"}) {
      std::ifstream file{entry.path() / "comm"};
      std::string comm;
      if (std::getline(file, comm) && comm == name) thread = std::stoi(entry.path().filename());
    }
    return thread != 0;
  };
  wait_until("a thread is called " + name, look);
  return thread;
}

long resident_kib(int process) {
  return kib_in("/proc/" + std::to_string(process) + "/status", "VmRSS");
}

long available_kib() {
  return kib_in("/proc/meminfo", "MemAvailable");
}

void set_soft_limit(int process, int resource, std::size_t value) {
  const auto which = static_cast<__rlimit_resource>(resource);
  rlimit limit{};
  ::prlimit(process, which, nullptr, &limit);
  limit.rlim_cur = std::min<rlim_t>(value, limit.rlim_max);
  if (::prlimit(process, which, &limit, nullptr) != 0) fail_with_errno("prlimit");
}

double slope_through(const std::vector<Point>& points) {
  double x = 0, y = 0, xx = 0, xy = 0;
  for (const Point& point : points) {
    x += point.x;
    y += point.y;
    xx += point.x * point.x;
    xy += point.x * point.y;
  }
  const auto count = static_cast<double>(points.size());
  return (count * xy - x * y) / (count * xx - x * x);
}

double quantile(std::vector<double> values, double share) {
  const auto place = static_cast<std::size_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(place),
                   values.end());
  return values[place];
}

}  // namespace penstock::e2e
