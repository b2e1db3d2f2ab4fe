#include "report/budget_text.hpp"

#include <fmt/core.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/sizes.hpp"
#include "report/table.hpp"

namespace penstock::report {

namespace {

using boost::json::value;

std::string word(const value& v) {
  return std::string{v.as_string()};
}

std::string number(const value& v) {
  return v.is_null() ? "-" : fmt::format("{}", v.to_number<std::uint64_t>());
}

std::string limit_text(const value& resource) {
  const value& limit = resource.at("limit");
  if (limit.is_null()) return "none";
  const std::string unit = word(resource.at("unit"));
  if (unit == "bytes")
    return fmt::format("{} MiB", limit.to_number<std::uint64_t>() / base::mebibyte);
  return (limit.is_double() ? fmt::format("{:g}", limit.as_double()) : number(limit)) + ' ' + unit;
}

std::string pipes_text(const value& pipes) {
  const auto kibibytes = [&](const char* key) {
    return pipes.at(key).to_number<std::uint64_t>() / base::kibibyte;
  };
  std::string text =
      fmt::format("{} pipes of {} KiB", number(pipes.at("total")), kibibytes("bytes"));
  if (pipes.at("grown").to_number<std::uint64_t>() > 0)
    text += fmt::format(", {} of them grow to {} KiB", number(pipes.at("grown")),
                        kibibytes("grown_bytes"));
  return text;
}

}  // namespace

std::string budget_text(const value& budget) {
  std::string text = fmt::format(
      "at most {} connections at once; {} ends first\n"
      "of them {} spliced in both directions at once ({} ends first), the other {} copied\n"
      "{}\n"
      "{} forwarders; {} ends first\n\n",
      number(budget.at("connections_max")), word(budget.at("connections_end_first")),
      number(budget.at("spliced")), word(budget.at("spliced_end_first")),
      number(budget.at("copied")), pipes_text(budget.at("pipes")), number(budget.at("forwarders")),
      word(budget.at("forwarders_end_first")));
  std::vector<std::vector<std::string>> rows{
      {"RESOURCE", "LIMIT", "USED", "CONNECTIONS", "SPLICED", "TO CHANGE IT"}};
  for (const value& resource : budget.at("resources").as_array()) {
    const value* const used = resource.as_object().if_contains("used_ratio");
    rows.push_back({word(resource.at("name")), limit_text(resource),
                    used == nullptr ? "-" : fmt::format("{:.1f}%", used->to_number<double>() * 100),
                    number(resource.at("connections")), number(resource.at("spliced")),
                    word(resource.at("to_change"))});
  }
  text += table_text(rows);
  for (const value& note : budget.at("notes").as_array())
    text += fmt::format("\n- {}\n", word(note));
  return text;
}

}  // namespace penstock::report
