#include "os/topology.hpp"

#include <algorithm>
#include <iterator>
#include <sstream>

#include "os/cgroup.hpp"
#include "os/numa.hpp"
#include "os/process.hpp"

namespace penstock::os {

namespace {

constexpr std::size_t file_bytes_max = 256 * 1024;
constexpr int cache_indices_max = 16;

bool holds(const std::vector<int>& sorted, int value) {
  return std::binary_search(sorted.begin(), sorted.end(), value);
}

std::vector<int> common(const std::vector<int>& a, const std::vector<int>& b) {
  std::vector<int> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both;
}

std::string text_of(const std::string& path) {
  return read_file(path, file_bytes_max).text;
}

// The rest of the line that `key` begins, wherever it stands in the line.
std::string after(const std::string& text, const std::string& key) {
  const auto at = text.find(key);
  if (at == std::string::npos) return {};
  const auto begin = at + key.size();
  return text.substr(begin, text.find('\n', begin) - begin);
}

// "MemTotal:  12413140 kB" of a node or of the machine, in bytes.
std::uint64_t kibibytes_after(const std::string& text, const std::string& key) {
  std::istringstream line{after(text, key)};
  std::uint64_t kibibytes = 0;
  line >> kibibytes;
  return kibibytes * 1024;
}

std::vector<int> list_after(const std::string& text, const std::string& key) {
  const std::string list = after(text, key);
  return parse_cpu_list(list.substr(std::min(list.find_first_not_of(" \t"), list.size())));
}

class Reader {
 public:
  explicit Reader(const std::string& root) : root_{root == "/" ? std::string{} : root} {}

  NumaTopology read() const {
    NumaTopology topology;
    read_nodes(topology);
    read_caches(topology);
    topology.cpu_quota = cpu_quota_below(root_);
    topology.memory_limit = memory_limit_below(root_);
    topology.balances = text_of(root_ + "/proc/sys/kernel/numa_balancing").starts_with('1');
    return topology;
  }

 private:
  void read_nodes(NumaTopology& topology) const {
    const std::string status = text_of(root_ + "/proc/self/status");
    std::vector<int> cpuset = list_after(status, "Cpus_allowed_list:");
    if (cpuset.empty()) cpuset = thread_affinity();
    std::vector<int> online = parse_cpu_list(text_of(root_ + "/sys/devices/system/cpu/online"));
    if (online.empty()) online = cpuset;
    topology.offline_cpus = parse_cpu_list(text_of(root_ + "/sys/devices/system/cpu/offline"));
    for (const int id : parse_cpu_list(text_of(node_path() + "online")))
      topology.nodes.push_back(read_node(id, online));
    if (topology.nodes.empty()) topology.nodes.push_back(whole_machine(online));
    const std::vector<int> memories = list_after(status, "Mems_allowed_list:");
    for (NumaNode& node : topology.nodes) {
      node.cpus = common(node.online_cpus, cpuset);
      node.memory_allowed = memories.empty() || holds(memories, node.id);
    }
    // What the files say of the nodes contradicts what they say of us: somewhere we do run.
    if (topology.cpu_count() == 0) topology.nodes.front().cpus = cpuset;
    for (NumaNode& node : topology.nodes) node.by_core = by_core(node.cpus);
  }

  NumaNode read_node(int id, const std::vector<int>& online) const {
    const std::string path = node_path() + "node" + std::to_string(id);
    const std::string memory = text_of(path + "/meminfo");
    NumaNode node{.id = id,
                  .online_cpus = common(parse_cpu_list(text_of(path + "/cpulist")), online),
                  .memory_bytes = kibibytes_after(memory, " MemTotal:"),
                  .free_bytes = kibibytes_after(memory, " MemFree:")};
    std::istringstream distances{text_of(path + "/distance")};
    for (int distance = 0; distances >> distance;) node.distances.push_back(distance);
    return node;
  }

  // Two threads of a core share what it can do: the second of any comes after the first of all.
  std::vector<int> by_core(const std::vector<int>& cpus) const {
    std::vector<std::pair<std::size_t, int>> ranked;
    for (const int cpu : cpus) {
      const std::vector<int> ours = common(siblings_of(cpu), cpus);
      const auto before = std::lower_bound(ours.begin(), ours.end(), cpu) - ours.begin();
      ranked.emplace_back(static_cast<std::size_t>(before), cpu);
    }
    std::sort(ranked.begin(), ranked.end());
    std::vector<int> ordered;
    for (const auto& [rank, cpu] : ranked) ordered.push_back(cpu);
    return ordered;
  }

  std::vector<int> siblings_of(int cpu) const {
    return parse_cpu_list(text_of(root_ + "/sys/devices/system/cpu/cpu" + std::to_string(cpu) +
                                  "/topology/thread_siblings_list"));
  }

  NumaNode whole_machine(const std::vector<int>& online) const {
    const std::string memory = text_of(root_ + "/proc/meminfo");
    return {.online_cpus = online,
            .memory_bytes = kibibytes_after(memory, "MemTotal:"),
            .free_bytes = kibibytes_after(memory, "MemFree:"),
            .distances = {10}};
  }

  void read_caches(NumaTopology& topology) const {
    for (const NumaNode& node : topology.nodes)
      for (const int cpu : node.online_cpus) {
        const auto has_it = [&](const CacheGroup& group) { return holds(group.cpus, cpu); };
        auto& groups = topology.cache_groups;
        if (std::any_of(groups.begin(), groups.end(), has_it)) continue;
        if (CacheGroup group{third_level(cpu)}; !group.cpus.empty())
          groups.push_back(std::move(group));
      }
  }

  std::vector<int> third_level(int cpu) const {
    const std::string path =
        root_ + "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/cache/index";
    for (int index = 0; index < cache_indices_max; ++index) {
      const std::string cache = path + std::to_string(index);
      const std::string level = text_of(cache + "/level");
      if (level.empty()) return {};
      if (level.starts_with('3')) return parse_cpu_list(text_of(cache + "/shared_cpu_list"));
    }
    return {};
  }

  std::string node_path() const { return root_ + "/sys/devices/system/node/"; }

  const std::string root_;
};

}  // namespace

std::size_t NumaTopology::cpu_count() const noexcept {
  std::size_t count = 0;
  for (const NumaNode& node : nodes) count += node.cpus.size();
  return count;
}

const NumaNode* NumaTopology::find(int id) const noexcept {
  for (const NumaNode& node : nodes)
    if (node.id == id) return &node;
  return nullptr;
}

std::optional<int> NumaTopology::node_of(int cpu) const noexcept {
  for (const NumaNode& node : nodes)
    if (holds(node.online_cpus, cpu)) return node.id;
  return std::nullopt;
}

std::optional<int> NumaTopology::memory_node_for(const NumaNode& node) const noexcept {
  if (node.gives_memory()) return node.id;
  std::optional<int> nearest;
  int shortest = 0;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const int distance = i < node.distances.size() ? node.distances[i] : 255;  // unreachable
    if (!nodes[i].gives_memory() || (nearest && distance >= shortest)) continue;
    nearest = nodes[i].id;
    shortest = distance;
  }
  return nearest;
}

std::size_t NumaTopology::caches_of(const NumaNode& node) const noexcept {
  return static_cast<std::size_t>(
      std::count_if(cache_groups.begin(), cache_groups.end(), [&](const CacheGroup& group) {
        return std::any_of(group.cpus.begin(), group.cpus.end(),
                           [&](int cpu) { return holds(node.online_cpus, cpu); });
      }));
}

NumaTopology numa_topology(const std::string& root) {
  return Reader{root}.read();
}

std::vector<int> parse_cpu_list(const std::string& text) {
  std::vector<int> cpus;
  std::istringstream list{text};
  for (int first = 0; list >> first;) {
    int last = first;
    if (list.peek() == '-' && !(list.ignore() >> last)) break;
    if (first < 0 || last < first || last >= cpus_max) break;
    for (int cpu = first; cpu <= last; ++cpu) cpus.push_back(cpu);
    if (list.peek() != ',') break;
    list.ignore();
  }
  std::sort(cpus.begin(), cpus.end());
  return cpus;
}

std::string cpu_list_text(const std::vector<int>& cpus) {
  std::string text;
  for (std::size_t i = 0; i < cpus.size();) {
    std::size_t end = i + 1;
    while (end < cpus.size() && cpus[end] == cpus[end - 1] + 1) ++end;
    if (!text.empty()) text += ',';
    text += std::to_string(cpus[i]);
    if (end - i > 1) text += '-' + std::to_string(cpus[end - 1]);
    i = end;
  }
  return text;
}

}  // namespace penstock::os
