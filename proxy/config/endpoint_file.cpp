#include "config/endpoint_file.hpp"

#include <algorithm>
#include <tuple>

#include "base/limits.hpp"
#include "config/endpoints.hpp"

namespace penstock::config {

EndpointFile failed_endpoint_file(const std::string& file, std::string sentence) {
  return {.endpoints = {},
          .faults = {{.file = file, .path = "-", .sentence = std::move(sentence)}}};
}

EndpointFile parse_endpoint_file(const std::string& text, const std::string& file) {
  const YamlDocument document = parse_yaml(text, file);
  if (!document.faults.empty()) return {.endpoints = {}, .faults = document.faults};
  const YamlPlace root{document.root, "", "upstreams.*.endpoints"};
  if (root.node->kind == YamlNode::Kind::null)
    return failed_endpoint_file(file, "is empty; write [] where there are no endpoints");
  ConfigReading reading{file, false};
  EndpointFile result;
  const auto items = reading.items_of(root);
  if (items.size() > base::endpoints_max)
    return failed_endpoint_file(file,
                                "more than " + std::to_string(base::endpoints_max) + " endpoints");
  StaticEndpoints statics{reading, StaticEndpoints::Where::file};
  for (const YamlPlace& item : items)
    if (auto endpoint = statics.read(item)) result.endpoints.push_back(std::move(*endpoint));
  result.faults = std::move(reading.faults);
  std::stable_sort(result.faults.begin(), result.faults.end(),
                   [](const Fault& one, const Fault& other) {
                     return std::tie(one.line, one.column) < std::tie(other.line, other.column);
                   });
  if (!result.faults.empty()) result.endpoints.clear();
  return result;
}

}  // namespace penstock::config
