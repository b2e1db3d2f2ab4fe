#include "e2e/upstreams.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>

namespace penstock::e2e {

namespace {

boost::json::array endpoints_of(const Penstock& penstock) {
  const auto page = boost::json::parse(http(penstock.admin(), "GET", "/upstreams").body);
  for (const auto& upstream : page.at("upstreams").as_array())
    if (upstream.at("name") == "app") return upstream.at("endpoints").as_array();
  throw Failure{"there is no upstream app"};
}

}  // namespace

std::string answer_of(const Penstock& penstock) {
  Peer client = penstock.client();
  client.finish_sending();
  return client.read_to_end();
}

std::string answers_of(const Penstock& penstock, int clients) {
  std::string answers;
  for (int i = 0; i < clients; ++i) answers += answer_of(penstock);
  return answers;
}

Record endpoint_of(const Penstock& penstock, const std::string& identity) {
  for (const auto& endpoint : endpoints_of(penstock))
    if (endpoint.at("identity").as_string() == identity) return endpoint.as_object();
  throw Failure{"there is no endpoint " + identity};
}

std::vector<std::string> identities_of(const Penstock& penstock) {
  std::vector<std::string> identities;
  for (const auto& endpoint : endpoints_of(penstock))
    identities.emplace_back(endpoint.at("identity").as_string());
  return identities;
}

void wait_for_state(const Penstock& penstock, const std::string& identity,
                    const std::string& state) {
  wait_until(identity + " is " + state,
             [&] { return text_of(endpoint_of(penstock, identity), "state") == state; });
}

void wait_for_endpoints(const Penstock& penstock, std::vector<std::string> identities) {
  std::sort(identities.begin(), identities.end());
  wait_until(std::to_string(identities.size()) + " endpoints are there", [&] {
    std::vector<std::string> seen = identities_of(penstock);
    std::sort(seen.begin(), seen.end());
    return seen == identities;
  });
}

void steer(const Penstock& penstock, const std::string& identity, const std::string& state) {
  const Finished said = run_program(
      {penstock_binary(), "ctl", "--admin", penstock.admin(), "endpoint", "app", identity, state});
  if (said.exit_code != 0) throw Failure{"ctl endpoint: " + said.errors};
}

void wait_for_words(Penstock& penstock, const std::string& words) {
  wait_until("stderr says: " + words,
             [&] { return penstock.program().errors().find(words) != std::string::npos; });
}

}  // namespace penstock::e2e
