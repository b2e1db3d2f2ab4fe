#include "control/admin_pages.hpp"

#include <fmt/core.h>

#include <array>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <utility>
#include <vector>

#include "control/admin_host.hpp"
#include "control/metrics.hpp"
#include "control/promised.hpp"

namespace penstock::control {

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

AdminAnswer metrics_answer(AdminView& view) {
  return {.status = 200,
          .content_type = std::string{metrics_content_type},
          .body = view.metrics(),
          .allow = {}};
}

// A request whose path fits a page: the variable parts of the path, and the query.
struct Asked {
  std::vector<std::string> parts;
  boost::urls::params_view query;

  // Empty where it was not given.
  std::string parameter(std::string_view key) const {
    const auto found = query.find(boost::urls::string_view{key.data(), key.size()});
    return found == query.end() ? std::string{} : std::string{(*found).value};
  }
};

AdminAnswer begin_drain(AdminView& view, const Asked& /*asked*/) {
  view.drain();
  return json_answer(202, {{"draining", true}});
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
  const Explained explained =
      view.explain({.listener = asked.parameter("listener"), .source = asked.parameter("source")});
  return explained ? json_answer(200, *explained) : refusal(400, explained.error());
}

template <boost::json::value (AdminView::*Show)()>
AdminAnswer show(AdminView& view, const Asked& /*asked*/) {
  return json_answer(200, (view.*Show)());
}

struct Page {
  std::string_view path;  // `*` stands for one segment of any text
  bool writes;            // POST; else GET and HEAD
  AdminAnswer (*answer)(AdminView& view, const Asked& asked);
};

constexpr std::array<Page, 10> pages{{
    {"/healthz", false,
     [](AdminView& v, const Asked&) { return verdict("healthy", v.unhealthy_because()); }},
    {"/readyz", false,
     [](AdminView& v, const Asked&) { return verdict("ready", v.not_ready_because()); }},
    {"/metrics", false, [](AdminView& v, const Asked&) { return metrics_answer(v); }},
    {"/status", false, show<&AdminView::status>},
    {"/listeners", false, show<&AdminView::listeners>},
    {"/upstreams", false, show<&AdminView::upstreams>},
    {"/numa", false, show<&AdminView::numa>},
    {"/explain", false, explain},
    {"/upstreams/*/endpoints/*", true, steer_endpoint},
    {"/drain", true, begin_drain},
}};

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
  for (const std::string_view page : promised_pages())
    if (fit(page, target.segments())) return "this page";
  for (const PromisedParameter& each : promised_parameters()) {
    if (!fit(each.page, target.segments())) continue;
    for (const auto& given : target.params())
      if (given.key == each.name && (each.value.empty() || given.value == each.value))
        return "the parameter " + given.key;
  }
  return {};
}

// Empty where the write may go on.
std::string forbidden_because(const AdminRequest& request) {
  if (request.read_only) return "this address only shows: it is bound with read_only";
  if (request.has_origin) return "a request with an Origin comes from a web page and may not write";
  if (!request.host || !names_a_literal_host(*request.host))
    return "to write, Host must be a literal address or localhost";
  return {};
}

}  // namespace

AdminAnswer refusal(unsigned status, std::string_view sentence) {
  return json_answer(status, {{"error", sentence}});
}

AdminAnswer answer_page(const Page& page, const Asked& asked, const AdminRequest& request,
                        AdminView& view) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const bool fits = page.writes ? request.method == "POST" : reads;
  if (!fits) {
    AdminAnswer wrong = refusal(405, "this page does not know the method");
    wrong.allow = page.writes ? "POST" : "GET, HEAD";
    return wrong;
  }
  if (page.writes)
    if (const std::string reason = forbidden_because(request); !reason.empty())
      return refusal(403, reason);
  return page.answer(view, asked);
}

AdminAnswer answer(const AdminRequest& request, AdminView& view) {
  const auto target = boost::urls::parse_origin_form(request.target);
  if (!target) return refusal(400, "this is no path");
  if (const std::string promised = promised_in(*target); !promised.empty())
    return refusal(501, fmt::format("{} is {}", promised, not_supported_yet));
  for (const Page& page : pages)
    if (auto parts = fit(page.path, target->segments()))
      return answer_page(page, {.parts = std::move(*parts), .query = target->params()}, request,
                         view);
  return refusal(404, "there is no such page");
}

}  // namespace penstock::control
