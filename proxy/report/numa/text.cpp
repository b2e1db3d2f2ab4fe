#include "report/numa/text.hpp"

#include <fmt/core.h>

#include <boost/json/serialize.hpp>

#include "base/sizes.hpp"
#include "base/text.hpp"
#include "report/table.hpp"

namespace penstock::report {

namespace {

using boost::json::value;

std::string word_of(const value& v) {
  return base::printable(std::string_view{v.as_string()});
}

// A number, or a word where there is none.
std::string number_or(const value& v, const std::string& otherwise) {
  if (v.is_null()) return otherwise;
  if (!v.is_double()) return boost::json::serialize(v);
  return fmt::format("{:g}", v.to_number<double>());
}

std::string or_dash(std::string text) {
  return text.empty() ? std::string{"-"} : text;
}

std::string memory_text(const value& bytes) {
  return fmt::format("{} MiB", bytes.to_number<std::uint64_t>() / base::mebibyte);
}

std::string nodes_text(const value& nodes) {
  std::vector<std::vector<std::string>> rows{
      {"NODE", "CPUS", "ONLINE", "MEMORY", "FREE", "L3", "DISTANCES"}};
  for (const value& node : nodes.as_array()) {
    std::string distances;
    for (const value& distance : node.at("distances").as_array())
      distances += (distances.empty() ? "" : " ") + number_or(distance, "");
    rows.push_back({number_or(node.at("id"), ""), or_dash(word_of(node.at("cpus"))),
                    or_dash(word_of(node.at("online_cpus"))), memory_text(node.at("memory_bytes")),
                    memory_text(node.at("free_bytes")),
                    number_or(node.at("third_level_caches"), ""), distances});
  }
  return table_text(rows);
}

std::string limits_text(const value& numa) {
  std::string devices;
  for (const value& device : numa.at("devices").as_array())
    devices += fmt::format("{}{} (node {})", devices.empty() ? "" : ", ",
                           word_of(device.at("name")), number_or(device.at("node"), "unknown"));
  const value& memory = numa.at("memory_limit_bytes");
  return fmt::format(
      "offline CPUs    {}\nCPU quota       {}\nmemory limit    {}\nNUMA balancing  {}\n"
      "devices         {}\n",
      or_dash(word_of(numa.at("offline_cpus"))), number_or(numa.at("cpu_quota"), "none"),
      memory.is_null() ? "none" : memory_text(memory),
      numa.at("numa_balancing").as_bool() ? "on" : "off", or_dash(devices));
}

// What was planned, and beside it what was seen where it runs.
std::string threads_text(const value& threads, bool is_running) {
  std::vector<std::string> heading{"THREAD", "NODE", "CPUS", "MEMORY"};
  if (is_running)
    heading.insert(heading.end(), {"IS ON CPU", "OF NODE", "PINNED", "POLICY", "LOCAL ARRIVALS"});
  std::vector<std::vector<std::string>> rows{heading};
  for (const value& thread : threads.as_array()) {
    const std::string cpus = word_of(thread.at("cpus"));
    rows.push_back({word_of(thread.at("name")), number_or(thread.at("node"), ""),
                    cpus.empty() ? "any" : cpus,
                    fmt::format("{} (node {})", word_of(thread.at("memory")),
                                number_or(thread.at("memory_node"), ""))});
    if (!is_running) continue;
    const value& seen = thread.at("seen");
    for (std::string cell :
         {number_or(seen.at("cpu"), "-"), number_or(seen.at("node"), "-"),
          std::string{seen.at("pinned").as_bool() ? "yes" : "no"}, word_of(seen.at("memory")),
          fmt::format("{} of {}", number_or(seen.at("arrivals_local"), ""),
                      number_or(seen.at("arrivals_sampled"), ""))})
      rows.back().push_back(std::move(cell));
  }
  return table_text(rows);
}

// "1200 on node 0, 3 on node 1"
std::string pages_text(const value& pages) {
  if (pages.is_null()) return "not known";
  std::string text;
  for (const auto& [node, count] : pages.as_object())
    text += fmt::format("{}{} on node {}", text.empty() ? "" : ", ", number_or(count, ""),
                        std::string_view{node});
  return or_dash(text);
}

std::string arenas_text(const value& threads) {
  std::vector<std::vector<std::string>> rows{
      {"ARENA OF", "NODE", "MEMORY", "GRANTED", "OPENED", "PAGES TOUCHED"}};
  for (const value& thread : threads.as_array()) {
    const value* const arena = thread.as_object().if_contains("arena");
    if (arena == nullptr) continue;
    rows.push_back({word_of(thread.at("name")), number_or(arena->at("node"), ""),
                    word_of(arena->at("memory")), arena->at("placed").as_bool() ? "yes" : "no",
                    memory_text(arena->at("opened_bytes")),
                    pages_text(arena->at("pages_by_node"))});
  }
  return rows.size() == 1 ? std::string{} : '\n' + table_text(rows);
}

std::string accepted_text(const value& threads) {
  std::string text;
  for (const value& thread : threads.as_array())
    if (const value* const accepted = thread.as_object().if_contains("accepted"))
      text += fmt::format("{} accepted {} connections, and gave {} of them to other nodes\n",
                          word_of(thread.at("name")), number_or(accepted->at("connections"), ""),
                          number_or(accepted->at("passed_on"), ""));
  return text.empty() ? text : '\n' + text;
}

std::string checklist_text(const value& lines) {
  std::string text{"\nChecklist\n"};
  for (const value& line : lines.as_array())
    text += fmt::format("{:<15} {}: {}\n", word_of(line.at("verdict")), word_of(line.at("line")),
                        word_of(line.at("why")));
  return text;
}

}  // namespace

std::string numa_text(const value& numa) {
  const value* const ratio = numa.as_object().if_contains("local_ratio");
  std::string text = nodes_text(numa.at("nodes")) + '\n' + limits_text(numa) + '\n';
  for (const value& decision : numa.at("decisions").as_array())
    text += fmt::format("- {}\n", word_of(decision));
  text += '\n' + threads_text(numa.at("threads"), ratio != nullptr);
  text += arenas_text(numa.at("threads"));
  text += accepted_text(numa.at("threads"));
  if (ratio != nullptr && !ratio->is_null())
    text += fmt::format("\n{:.1f}% of the connections sampled came in on their forwarder's node\n",
                        ratio->to_number<double>() * 100);
  if (const value* const lines = numa.as_object().if_contains("checklist"))
    text += checklist_text(*lines);
  return text;
}

}  // namespace penstock::report
