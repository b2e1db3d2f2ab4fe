// Requests to the administration, line by line: method, target, Host, Origin, Sec-Fetch-Site,
// Authorization. Each has an answer of a known status, a refusal is a JSON object, nothing is
// written without the right, and what a request costs grows with its size.

#include "admin/router.hpp"

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <functional>
#include <string>

#include "fuzz/linear_cost.hpp"
#include "fuzz/rig.hpp"

namespace {

using namespace penstock;

struct View final : admin::AdminView {
  fuzz::Rig rig;
  int writes = 0;

  std::string unhealthy_because() override { return {}; }
  std::string not_ready_because() override { return "a drain runs"; }
  base::PagePieces page(admin::PageName /*name*/) override { return {}; }
  admin::Explained explain(const admin::ExplainQuestion& question) override {
    return rig.explain(question);
  }
  void drain() override { ++writes; }
  void at_end_of_drain(std::function<void(const admin::DrainEnd&)> told) override { told({}); }
  bool set_override(const std::string& upstream, const std::string& /*endpoint*/,
                    upstream::Override /*said*/) override {
    ++writes;
    return upstream == "app";
  }
};

std::string take_line(std::string_view& rest) {
  const auto end = std::min(rest.find('\n'), rest.size());
  std::string line{rest.substr(0, end)};
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

admin::AdminRequest request_from(std::string_view rest) {
  admin::AdminRequest request{
      .method = take_line(rest), .target = take_line(rest), .host = std::nullopt};
  const auto next = [&]() -> std::optional<std::string> {
    std::string line = take_line(rest);
    return line.empty() ? std::nullopt : std::optional{std::move(line)};
  };
  request.host = next();
  request.origin = next();
  request.fetch_site = next();
  request.authorization = next().value_or("");
  request.guards_reads = true;
  request.token = request.authorization.empty() ? "" : "a-long-enough-token";
  return request;
}

bool is_known(unsigned status) {
  constexpr std::array<unsigned, 9> known{200, 202, 400, 401, 403, 404, 405, 501, 503};
  return std::find(known.begin(), known.end(), status) != known.end();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static View view;
  const std::string_view text = fuzz::text_of(data, size);
  const admin::AdminRequest request = request_from(text);
  const int before = view.writes;
  const admin::AdminAnswer reply = admin::answer(request, view);
  fuzz::require(is_known(reply.status), "the status is one that is documented");
  if (!reply.pieces.empty()) {
    fuzz::require(boost::json::parse(base::text_of(reply.pieces)).is_object(),
                  "an answer is an object");
  } else if (!reply.page) {
    const auto body = boost::json::parse(reply.body);
    fuzz::require(body.is_object(), "an answer is an object");
    if (reply.status >= 400)
      fuzz::require(body.at("error").is_string(), "a refusal has its sentence");
  }
  if (view.writes != before)
    fuzz::require(request.method == "POST" && !refused(request, admin::Access::write),
                  "who writes may write");
  admin::AdminRequest reader = request;
  reader.read_only = true;
  admin::answer(reader, view);
  fuzz::require(view.writes - before <= 1, "who may only read writes nothing");
  fuzz::require_linear(text, [](const std::string& large) {
    admin::AdminRequest of_this_size{.method = "GET", .target = "/explain?" + large, .host = large};
    admin::answer(of_this_size, view);
    of_this_size.target = "/upstreams/" + large;
    admin::answer(of_this_size, view);
  });
  return 0;
}
