#include "cli/explain.hpp"

#include <fmt/core.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <iostream>

#include "base/exit_codes.hpp"
#include "base/text.hpp"
#include "cli/ctl/client.hpp"
#include "config/config.hpp"
#include "os/clock.hpp"
#include "report/explain.hpp"
#include "report/table.hpp"
#include "runtime/options.hpp"
#include "upstream/registry.hpp"

namespace penstock::cli {

namespace {

int complain(int exit_code, std::string_view sentence) {
  std::cerr << "penstock explain: " << base::printable(sentence) << '\n';
  return exit_code;
}

int show(const ExplainCommand& command, const boost::json::value& explained) {
  std::cout << (command.json ? boost::json::serialize(explained) + '\n' : explain_text(explained));
  return base::success;
}

int explain_running(const ExplainCommand& command) {
  const CtlFetched reply =
      fetch(command.admin, "GET",
            fmt::format("/explain?listener={}&source={}", part_of_target(command.question.listener),
                        part_of_target(command.question.source)));
  if (!reply) return complain(base::failure, reply.error());
  try {
    const auto body = boost::json::parse(reply->body);
    if (reply->status == 200) return show(command, body);
    const int exit_code = reply->status == 400 ? base::misuse : base::failure;
    return complain(exit_code, std::string{body.at("error").as_string()});
  } catch (const std::exception&) {
    return complain(base::failure, "what answered is not a penstock of this version");
  }
}

int explain_file(const ExplainCommand& command) {
  const config::LoadedConfig loaded = config::load_config(command.file);
  std::cerr << config::faults_text(loaded.faults);
  if (!loaded.config) return base::misuse;
  const upstream::Registry registry{loaded.config->server.upstreams, os::now()};
  std::vector<const session::ListenerOptions*> listeners;
  for (const auto& listener : loaded.config->server.listeners)
    listeners.push_back(&listener.session);
  const admin::Explained explained =
      report::explain_json(command.question.listener, command.question.source, listeners, registry);
  if (!explained) return complain(base::misuse, explained.error());
  return show(command, boost::json::parse(base::text_of(*explained)));
}

std::string word_of(const boost::json::value& object, std::string_view key) {
  const auto* value = object.as_object().if_contains(key);
  return value == nullptr ? std::string{} : base::printable(std::string_view{value->as_string()});
}

}  // namespace

std::string explain_text(const boost::json::value& explained) {
  const std::string source = word_of(explained, "source");
  std::string text =
      fmt::format("listener  {}\nsource    {}\nrule      {}\n", word_of(explained, "listener"),
                  source.empty() ? "any" : source, word_of(explained, "rule"));
  const std::string upstream = word_of(explained, "upstream");
  if (upstream.empty()) return text;
  const std::string next = word_of(explained, "next");
  text += fmt::format("upstream  {} ({})\nnext      {}\n", upstream, word_of(explained, "balance"),
                      next.empty() ? word_of(explained, "outcome") : next);
  for (const auto& source : explained.at("sources").as_array())
    text += fmt::format("beside    {}: known while running\n",
                        base::printable(std::string_view{source.as_string()}));
  std::vector<std::vector<std::string>> rows{{"ENDPOINT", "STATE", "WEIGHT", "SHARE", "WHY"}};
  for (const auto& endpoint : explained.at("endpoints").as_array())
    rows.push_back({word_of(endpoint, "identity"), word_of(endpoint, "state"),
                    std::to_string(endpoint.at("weight").to_number<std::int64_t>()),
                    fmt::format("{:.1f}%", endpoint.at("share").to_number<double>() * 100),
                    word_of(endpoint, "why")});
  return text + '\n' + report::table_text(rows);
}

int explain(const ExplainCommand& command) {
  return command.admin.empty() ? explain_file(command) : explain_running(command);
}

}  // namespace penstock::cli
