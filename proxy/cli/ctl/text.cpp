#include "cli/ctl/text.hpp"

#include <fmt/core.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/text.hpp"
#include "report/table.hpp"

namespace penstock::cli {

namespace {

using boost::json::value;

std::string string_of(const value& v) {
  if (const auto* text = v.if_string()) return base::printable(std::string_view{*text});
  return std::to_string(v.to_number<std::int64_t>());
}

std::string joined(const value& list) {
  std::string text;
  for (const value& item : list.as_array()) text += (text.empty() ? "" : " ") + string_of(item);
  return text;
}

std::string forwarders_text(const value& forwarders) {
  std::vector<std::vector<std::string>> rows{{"FORWARDER", "NODE", "CPU", "BUSY", "ANSWERS"}};
  for (const value& forwarder : forwarders.as_array()) {
    const auto& cpu = forwarder.at("cpu");
    rows.push_back({string_of(forwarder.at("index")), string_of(forwarder.at("node")),
                    cpu.is_null() ? "any" : string_of(cpu),
                    fmt::format("{:.1f}%", forwarder.at("busy_ratio").to_number<double>() * 100),
                    forwarder.at("answers").as_bool() ? "yes" : "no"});
  }
  return report::table_text(rows);
}

}  // namespace

std::string uptime_text(double seconds) {
  struct Unit {
    std::int64_t seconds;
    const char* name;
  };
  static constexpr std::array<Unit, 4> units{{{86'400, "d"}, {3'600, "h"}, {60, "min"}, {1, "s"}}};
  auto left = static_cast<std::int64_t>(seconds);
  std::string text;
  int parts = 0;
  for (const Unit& unit : units) {
    const std::int64_t count = left / unit.seconds;
    left %= unit.seconds;
    if (count == 0 || parts == 2) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : " ", count, unit.name);
    ++parts;
  }
  return text.empty() ? "0 s" : text;
}

std::string status_text(const value& status) {
  std::string text = fmt::format("penstock {}, process {}, up {}\n",
                                 string_of(status.at("version")), string_of(status.at("pid")),
                                 uptime_text(status.at("uptime_seconds").to_number<double>()));
  text += fmt::format("state        {}\n", string_of(status.at("state")));
  for (const auto* key : {"unhealthy_because", "not_ready_because"})
    if (const auto* reason = status.as_object().if_contains(key))
      text += fmt::format("             {}\n", string_of(*reason));
  text += fmt::format("connections  {} of {}\n", string_of(status.at("connections_active")),
                      string_of(status.at("connections_max")));
  if (status.at("accepting_paused").as_bool())
    text += "accepting    paused: a limit is reached, clients wait\n";
  std::vector<std::vector<std::string>> rows{{"LISTENER", "CONNECTIONS", "ADDRESSES"}};
  for (const value& listener : status.at("listeners").as_array())
    rows.push_back({string_of(listener.at("name")), string_of(listener.at("connections_active")),
                    joined(listener.at("addresses"))});
  return text + '\n' + report::table_text(rows) + '\n' + forwarders_text(status.at("forwarders"));
}

std::string listeners_text(const value& listeners) {
  std::vector<std::vector<std::string>> rows{
      {"LISTENER", "TO", "ACTIVE", "ACCEPTED", "BYTES UP", "BYTES DOWN", "ADDRESSES"}};
  for (const value& listener : listeners.at("listeners").as_array())
    rows.push_back({string_of(listener.at("name")), string_of(listener.at("to")),
                    string_of(listener.at("connections_active")),
                    string_of(listener.at("connections_accepted")),
                    string_of(listener.at("bytes_to_upstream")),
                    string_of(listener.at("bytes_to_client")), joined(listener.at("addresses"))});
  return report::table_text(rows);
}

std::string upstreams_text(const value& upstreams) {
  std::vector<std::vector<std::string>> rows{{"UPSTREAM", "ENDPOINT", "ADDRESS", "STATE", "WEIGHT",
                                              "ACTIVE", "CONNECTIONS", "FAILURES", "WHY"}};
  for (const value& upstream : upstreams.at("upstreams").as_array())
    for (const value& endpoint : upstream.at("endpoints").as_array()) {
      const value& totals = endpoint.at("totals");
      rows.push_back({string_of(upstream.at("name")), string_of(endpoint.at("identity")),
                      string_of(endpoint.at("address")), string_of(endpoint.at("state")),
                      string_of(endpoint.at("weight")), string_of(endpoint.at("active")),
                      string_of(totals.at("connections")), string_of(totals.at("failures")),
                      string_of(endpoint.at("why"))});
    }
  return report::table_text(rows);
}

}  // namespace penstock::cli
