#include "control/admin_pages.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <boost/json/serialize.hpp>

#include "control/metrics.hpp"

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

AdminAnswer begin_drain(AdminView& view) {
  view.drain();
  return json_answer(202, {{"draining", true}});
}

struct Page {
  std::string_view path;
  bool writes;  // POST; else GET and HEAD
  AdminAnswer (*answer)(AdminView& view);
};

constexpr std::array<Page, 7> pages{{
    {"/healthz", false, [](AdminView& v) { return verdict("healthy", v.unhealthy_because()); }},
    {"/readyz", false, [](AdminView& v) { return verdict("ready", v.not_ready_because()); }},
    {"/metrics", false, metrics_answer},
    {"/status", false, [](AdminView& v) { return json_answer(200, v.status()); }},
    {"/listeners", false, [](AdminView& v) { return json_answer(200, v.listeners()); }},
    {"/upstreams", false, [](AdminView& v) { return json_answer(200, v.upstreams()); }},
    {"/drain", true, begin_drain},
}};

// Empty where the write may go on.
std::string forbidden_because(const AdminRequest& request) {
  if (request.read_only) return "this address only shows: it is bound with read_only";
  if (request.has_origin) return "a request with an Origin comes from a web page and may not write";
  if (!request.host || !names_a_literal_host(*request.host))
    return "to write, Host must be a literal address or localhost";
  return {};
}

bool equal_but_for_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

// The host of "host", "host:port" and "[v6]:port"; empty where it is none of these.
std::string_view without_port(std::string_view host) {
  const bool bracketed = host.starts_with('[');
  const auto end = bracketed ? host.find(']') : host.find(':');
  if (bracketed && end == host.npos) return {};
  std::string_view port = end == host.npos ? std::string_view{} : host.substr(end + bracketed);
  if (!port.empty()) {
    if (!port.starts_with(':')) return {};
    port.remove_prefix(1);
    if (!std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; }))
      return {};
  }
  return bracketed ? host.substr(1, end - 1) : host.substr(0, end);
}

}  // namespace

AdminAnswer refusal(unsigned status, std::string_view sentence) {
  return json_answer(status, {{"error", sentence}});
}

bool names_a_literal_host(std::string_view host) {
  const std::string_view name = without_port(host);
  if (name.empty()) return false;
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(std::string{name}, error);
  if (!error) return address.is_v6() == host.starts_with('[');
  return !host.starts_with('[') && equal_but_for_case(name, "localhost");
}

AdminAnswer answer(const AdminRequest& request, AdminView& view) {
  const std::string_view path =
      std::string_view{request.target}.substr(0, request.target.find('?'));
  const auto page = std::find_if(pages.begin(), pages.end(),
                                 [&](const Page& candidate) { return candidate.path == path; });
  if (page == pages.end()) return refusal(404, "there is no such page");
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const bool fits = page->writes ? request.method == "POST" : reads;
  if (!fits) {
    AdminAnswer wrong = refusal(405, "this page does not know the method");
    wrong.allow = page->writes ? "POST" : "GET, HEAD";
    return wrong;
  }
  if (page->writes)
    if (const std::string reason = forbidden_because(request); !reason.empty())
      return refusal(403, reason);
  return page->answer(view);
}

}  // namespace penstock::control
