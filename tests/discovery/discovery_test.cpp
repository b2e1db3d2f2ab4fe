#include "discovery/discovery.hpp"

#include "base/limits.hpp"
#include "catch.hpp"

namespace penstock::discovery {

namespace {

upstream::EndpointSpec at(const std::string& address, const std::string& name = {},
                          std::uint32_t weight = 1) {
  upstream::EndpointSpec endpoint;
  endpoint.address = *os::parse_socket_address(address);
  endpoint.identity = name.empty() ? address : name;
  endpoint.weight = weight;
  return endpoint;
}

std::string text_of(const EndpointSources& sources) {
  std::string text;
  for (const upstream::EndpointSpec& endpoint : sources.endpoints())
    text += endpoint.identity + '*' + std::to_string(endpoint.weight) + ' ';
  return text;
}

}  // namespace

TEST_CASE("a fresh start knows the static endpoints", "[discovery]") {
  const EndpointSources sources{
      {at("10.0.0.1:80"), upstream::DnsSource{}, at("10.0.0.2:80"), upstream::FileSource{}}};
  CHECK(text_of(sources) == "10.0.0.1:80*1 10.0.0.2:80*1 ");
  CHECK(EndpointSources{{}}.endpoints().empty());
}

TEST_CASE("what sources find stands in the order of the configuration", "[discovery]") {
  EndpointSources sources{
      {at("10.0.0.1:80"), upstream::DnsSource{}, at("10.0.0.2:80"), upstream::FileSource{}}};
  CHECK(sources.set(3, {at("10.0.0.4:80")}));
  CHECK(sources.set(1, {at("10.0.0.3:80"), at("10.0.0.5:80")}));
  CHECK(text_of(sources) ==
        "10.0.0.1:80*1 10.0.0.3:80*1 10.0.0.5:80*1 10.0.0.2:80*1 10.0.0.4:80*1 ");
  CHECK(sources.set(1, {}));
  CHECK(text_of(sources) == "10.0.0.1:80*1 10.0.0.2:80*1 10.0.0.4:80*1 ");
}

TEST_CASE("the same again is no change", "[discovery]") {
  EndpointSources sources{{upstream::DnsSource{}, upstream::FileSource{}}};
  CHECK_FALSE(sources.set(0, {}));
  CHECK(sources.set(0, {at("10.0.0.1:80")}));
  CHECK_FALSE(sources.set(0, {at("10.0.0.1:80")}));
  CHECK_FALSE(sources.set(1, {at("10.0.0.1:80")}));  // merged away
  CHECK(sources.set(0, {at("10.0.0.1:80", {}, 2)}));
}

TEST_CASE("the first entry with an identity or an address wins", "[discovery]") {
  EndpointSources sources{
      {at("10.0.0.1:80", "blue", 7), upstream::DnsSource{}, upstream::FileSource{}}};
  sources.set(1, {at("10.0.0.1:80"), at("10.0.0.2:80", {}, 2)});
  sources.set(2, {at("10.0.0.2:80", {}, 9), at("10.0.0.2:80", "green", 9),
                  at("10.0.0.3:80", "blue"), at("10.0.0.4:80", "red")});
  CHECK(text_of(sources) == "blue*7 10.0.0.2:80*2 red*1 ");
  // What stood behind comes to light when the first one goes.
  sources.set(1, {});
  CHECK(text_of(sources) == "blue*7 10.0.0.2:80*9 green*9 red*1 ");
}

TEST_CASE("a static endpoint merges into one that was found before it", "[discovery]") {
  EndpointSources sources{{upstream::DnsSource{}, at("10.0.0.1:80", "blue", 7)}};
  sources.set(0, {at("10.0.0.1:80")});
  CHECK(text_of(sources) == "10.0.0.1:80*1 ");
  sources.set(0, {});
  CHECK(text_of(sources) == "blue*7 ");
}

TEST_CASE("one address under two names stays where somebody wrote both", "[discovery]") {
  EndpointSources sources{{at("10.0.0.1:80", "a"), at("10.0.0.1:80", "b"), upstream::FileSource{}}};
  sources.set(2, {at("10.0.0.2:80", "c"), at("10.0.0.2:80", "d"), at("10.0.0.1:80", "e")});
  CHECK(text_of(sources) == "a*1 b*1 c*1 d*1 ");
}

TEST_CASE("an upstream has no more endpoints than its limit; the first ones are taken",
          "[discovery]") {
  std::vector<upstream::EndpointSpec> many;
  for (std::size_t i = 1; i <= base::endpoints_max; ++i)
    many.push_back(at("10.0.0.1:" + std::to_string(i)));
  EndpointSources sources{{at("10.0.0.2:80"), upstream::DnsSource{}, at("10.0.0.3:80")}};
  sources.set(1, many);
  CHECK(sources.endpoints().size() == base::endpoints_max);
  CHECK(sources.left_out() == 2);
  CHECK(sources.endpoints().front().identity == "10.0.0.2:80");
  sources.set(1, {});
  CHECK(sources.left_out() == 0);
}

}  // namespace penstock::discovery
