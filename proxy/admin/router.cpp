#include "admin/router.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <utility>
#include <vector>

#include "base/promised.hpp"
#include "base/text.hpp"

namespace penstock::admin {

namespace {

AdminAnswer json_answer(unsigned status, const boost::json::value& value) {
  return {.status = status,
          .content_type = "application/json",
          .body = boost::json::serialize(value) + '\n',
          .allow = {}};
}

AdminAnswer verdict(const char* key, const std::string& problem) {
  return problem.empty() ? json_answer(200, {{key, true}}) : refusal(503, problem);
}

// A request whose path fits a page: the variable parts of the path, and the query.
struct Asked {
  std::vector<std::string> parts;
  boost::urls::params_view query;

  // Empty where it was not given.
  std::string parameter(std::string_view key) const {
    const auto found = query.find(key);
    return found == query.end() ? std::string{} : std::string{(*found).value};
  }
};

constexpr std::string_view content_type_of(PageName name) {
  if (name == PageName::metrics) return "text/plain; version=0.0.4; charset=utf-8";
  return name == PageName::config_yaml ? "application/yaml" : "application/json";
}

template <PageName name>
AdminAnswer made(AdminView& /*view*/, const Asked& /*asked*/) {
  return {.status = 200, .content_type = std::string{content_type_of(name)}, .page = name};
}

AdminAnswer show_config(AdminView& view, const Asked& asked) {
  const std::string format = asked.parameter("format");
  if (format.empty() || format == "yaml") return made<PageName::config_yaml>(view, asked);
  if (format == "json") return made<PageName::config_json>(view, asked);
  return refusal(400, "format must be yaml or json");
}

AdminAnswer begin_drain(AdminView& view, const Asked& asked) {
  const std::string wait = asked.parameter("wait");
  if (!wait.empty() && wait != "true" && wait != "false")
    return refusal(400, "wait must be true or false");
  view.drain();
  AdminAnswer answer = json_answer(202, {{"draining", true}});
  answer.waits_for_drain = wait == "true";
  return answer;
}

AdminAnswer steer_endpoint(AdminView& view, const Asked& asked) {
  const std::string said = asked.parameter("state");
  const auto state = upstream::override_names.find(said);
  if (!state) return refusal(400, "state must be up, drain or down");
  if (!view.set_override(asked.parts[0], asked.parts[1], *state))
    return refusal(404, fmt::format("there is no endpoint '{}' in an upstream '{}'", asked.parts[1],
                                    asked.parts[0]));
  return json_answer(200, {{"upstream", asked.parts[0]},
                           {"endpoint", asked.parts[1]},
                           {"state", upstream::override_names[*state]}});
}

AdminAnswer explain(AdminView& view, const Asked& asked) {
  Explained explained =
      view.explain({.listener = asked.parameter("listener"), .source = asked.parameter("source")});
  if (!explained) return refusal(400, explained.error());
  AdminAnswer answer;
  answer.pieces = std::move(*explained);
  return answer;
}

struct Page {
  std::string_view path;  // `*` stands for one segment of any text
  Access access;          // write: POST; else GET and HEAD
  AdminAnswer (*answer)(AdminView& view, const Asked& asked);
};

constexpr std::array<Page, 12> pages{{
    {"/healthz", Access::health,
     [](AdminView& v, const Asked&) { return verdict("healthy", v.unhealthy_because()); }},
    {"/readyz", Access::health,
     [](AdminView& v, const Asked&) { return verdict("ready", v.not_ready_because()); }},
    {"/metrics", Access::metrics, made<PageName::metrics>},
    {"/status", Access::read, made<PageName::status>},
    {"/listeners", Access::read, made<PageName::listeners>},
    {"/upstreams", Access::read, made<PageName::upstreams>},
    {"/numa", Access::read, made<PageName::numa>},
    {"/budget", Access::read, made<PageName::budget>},
    {"/config", Access::read, show_config},
    {"/explain", Access::read, explain},
    {"/upstreams/*/endpoints/*", Access::write, steer_endpoint},
    {"/drain", Access::write, begin_drain},
}};

// What it says when its escapes are undone.
bool is_plain(const boost::urls::url_view& target) {
  const auto segments = target.segments();
  const auto parameters = target.params();
  return std::all_of(segments.begin(), segments.end(),
                     [](const std::string& one) { return base::is_plain_text(one); }) &&
         std::all_of(parameters.begin(), parameters.end(), [](const auto& one) {
           return base::is_plain_text(std::string_view{one.key}) &&
                  base::is_plain_text(std::string_view{one.value});
         });
}

// The parts for the `*` of the pattern; empty where the path does not fit.
std::optional<std::vector<std::string>> fit(std::string_view pattern,
                                            const boost::urls::segments_view& path) {
  std::vector<std::string> parts;
  if (path.empty()) return pattern == "/" ? std::optional{parts} : std::nullopt;
  for (const auto& segment : path) {
    if (!pattern.starts_with('/')) return std::nullopt;
    pattern.remove_prefix(1);
    const std::string_view wanted = pattern.substr(0, pattern.find('/'));
    pattern.remove_prefix(wanted.size());
    if (wanted == "*")
      parts.emplace_back(segment);
    else if (std::string_view{std::string{segment}} != wanted)
      return std::nullopt;
  }
  return pattern.empty() ? std::optional{parts} : std::nullopt;
}

// What the request asks for and is promised, but not there yet; empty where there is nothing.
std::string promised_in(const boost::urls::url_view& target) {
  for (const std::string_view page : base::promised_pages())
    if (fit(page, target.segments())) return "this page";
  for (const base::PromisedParameter& each : base::promised_parameters()) {
    if (!fit(each.page, target.segments())) continue;
    for (const auto& given : target.params())
      if (given.key == each.name && (each.value.empty() || given.value == each.value))
        return "the parameter " + given.key;
  }
  return {};
}

}  // namespace

AdminAnswer refusal(unsigned status, std::string_view sentence) {
  return json_answer(status, {{"error", sentence}});
}

AdminAnswer drained_answer(const DrainEnd& end) {
  return json_answer(200, {{"drained", end.drained}, {"cut", end.cut}});
}

AdminAnswer answer_page(const Page& page, const Asked& asked, const AdminRequest& request,
                        AdminView& view) {
  const bool writes = page.access == Access::write;
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const bool fits = writes ? request.method == "POST" : reads;
  if (!fits) {
    AdminAnswer wrong = refusal(405, "method not allowed");
    wrong.allow = writes ? "POST" : "GET, HEAD";
    return wrong;
  }
  return page.answer(view, asked);
}

AdminAnswer answer(const AdminRequest& request, AdminView& view) {
  const auto target = boost::urls::parse_origin_form(request.target);
  if (!target) return refusal(400, "this is no path");
  const Page* found = nullptr;
  Asked asked{.parts = {}, .query = target->params()};
  for (const Page& page : pages) {
    auto parts = fit(page.path, target->segments());
    if (!parts) continue;
    found = &page;
    asked.parts = std::move(*parts);
    break;
  }
  const auto forbidden = refused(request, found == nullptr ? Access::read : found->access);
  if (forbidden) return refusal(forbidden->status, forbidden->sentence);
  if (!is_plain(*target))
    return refusal(400, "the path or a parameter is not UTF-8, or has control characters");
  if (const std::string promised = promised_in(*target); !promised.empty())
    return refusal(501, fmt::format("{} is {}", promised, base::not_supported_yet));
  if (found == nullptr) return refusal(404, "there is no such page");
  return answer_page(*found, asked, request, view);
}

}  // namespace penstock::admin
