#include "e2e/upstreams.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>

namespace penstock::e2e {

namespace {

boost::json::array endpoints_of(const House& house) {
  const auto page = boost::json::parse(http(house.admin(), "GET", "/upstreams").body);
  for (const auto& upstream : page.at("upstreams").as_array())
    if (upstream.at("name") == "app") return upstream.at("endpoints").as_array();
  throw Failure{"there is no upstream app"};
}

}  // namespace

std::string answer_of(const House& house) {
  Peer client = house.client();
  client.finish_sending();
  return client.read_to_end();
}

std::string answers_of(const House& house, int clients) {
  std::string answers;
  for (int i = 0; i < clients; ++i) answers += answer_of(house);
  return answers;
}

Record endpoint_of(const House& house, const std::string& identity) {
  for (const auto& endpoint : endpoints_of(house))
    if (endpoint.at("identity").as_string() == identity) return endpoint.as_object();
  throw Failure{"there is no endpoint " + identity};
}

std::vector<std::string> identities_of(const House& house) {
  std::vector<std::string> identities;
  for (const auto& endpoint : endpoints_of(house))
    identities.emplace_back(endpoint.at("identity").as_string());
  return identities;
}

void wait_for_state(const House& house, const std::string& identity, const std::string& state) {
  wait_until(identity + " is " + state,
             [&] { return text_of(endpoint_of(house, identity), "state") == state; });
}

void wait_for_endpoints(const House& house, std::vector<std::string> identities) {
  std::sort(identities.begin(), identities.end());
  wait_until(std::to_string(identities.size()) + " endpoints are there", [&] {
    std::vector<std::string> seen = identities_of(house);
    std::sort(seen.begin(), seen.end());
    return seen == identities;
  });
}

void steer(const House& house, const std::string& identity, const std::string& state) {
  const Finished said = run_program(
      {penstock_binary(), "ctl", "--admin", house.admin(), "endpoint", "app", identity, state});
  if (said.exit_code != 0) throw Failure{"ctl endpoint: " + said.errors};
}

void wait_for_words(House& house, const std::string& words) {
  wait_until("stderr says: " + words,
             [&] { return house.program().errors().find(words) != std::string::npos; });
}

}  // namespace penstock::e2e
