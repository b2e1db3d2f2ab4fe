#include "discovery/dns_history.hpp"

#include "base/limits.hpp"
#include "catch.hpp"

namespace penstock::discovery {

namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using Strings = std::vector<std::string>;

const base::Instant start = base::Instant{} + std::chrono::hours{1};
const DnsOrigin a{"db.test", os::DnsType::a};
const DnsOrigin aaaa{"db.test", os::DnsType::aaaa};

DnsEndpoint endpoint(const std::string& text, const DnsOrigin& origin = a) {
  DnsEndpoint result;
  result.spec.identity = text;
  result.spec.address = *os::parse_socket_address(text);
  result.origin = origin;
  return result;
}

DnsFound answer(std::vector<DnsEndpoint> endpoints, std::set<DnsOrigin> unanswered = {}) {
  DnsFound found;
  found.result = upstream::DnsResult::ok;
  found.endpoints = std::move(endpoints);
  found.unanswered = std::move(unanswered);
  return found;
}

DnsFound partial(DnsFound found) {
  found.is_final = false;
  return found;
}

Strings identities(const DnsHistory& history) {
  Strings result;
  for (const upstream::EndpointSpec& spec : history.endpoints()) result.push_back(spec.identity);
  return result;
}

const DnsEndpoint one = endpoint("10.0.0.1:80");
const DnsEndpoint two = endpoint("10.0.0.2:80");
const DnsEndpoint six = endpoint("[fd00::1]:80", aaaa);

}  // namespace

TEST_CASE("an address leaves when so many answers in a row did not name it", "[discovery]") {
  upstream::DnsSource source;
  source.gone_after = 3;
  DnsHistory history{source};
  CHECK(history.take(answer({one, two}), start).is_change);
  CHECK_FALSE(history.take(answer({one, two}), start).is_change);
  CHECK_FALSE(history.take(answer({one}), start + seconds{5}).is_change);
  CHECK_FALSE(history.take(answer({one}), start + seconds{10}).is_change);
  CHECK_FALSE(history.take(answer({two}), start + seconds{15}).is_change);  // named: from the first
  CHECK_FALSE(history.take(answer({two}), start + seconds{20}).is_change);
  CHECK(identities(history) == Strings{"10.0.0.1:80", "10.0.0.2:80"});
  const auto change = history.take(answer({two}), start + seconds{25});
  CHECK(change.is_change);
  CHECK(identities(history) == Strings{"10.0.0.2:80"});
  // Ten minutes after it was named last.
  REQUIRE(change.left.size() == 1);
  CHECK(change.left.at(one.spec.address) == start + seconds{10} + minutes{10});
}

TEST_CASE("what nobody answered removes nothing, and does not count", "[discovery]") {
  DnsHistory history{upstream::DnsSource{}};
  history.take(answer({one, six}), start);
  CHECK_FALSE(history.take(answer({one}, {aaaa}), start).is_change);
  CHECK(identities(history) == Strings{"10.0.0.1:80", "[fd00::1]:80"});
  CHECK(history.take(answer({one}), start).is_change);  // answered, without an address
  CHECK(identities(history) == Strings{"10.0.0.1:80"});
}

TEST_CASE("what is known early counts at once, and once", "[discovery]") {
  upstream::DnsSource source;
  source.gone_after = 2;
  DnsHistory history{source};
  history.take(answer({one, six}), start);
  CHECK(history.take(partial(answer({two}, {aaaa})), start).is_change);
  CHECK_FALSE(history.take(answer({two, six}), start).is_change);
  CHECK(history.size() == 3);  // one was missed in one look-up
  CHECK(history.take(partial(answer({two}, {aaaa})), start).is_change);
  CHECK(identities(history) == Strings{"10.0.0.2:80", "[fd00::1]:80"});
}

TEST_CASE("a name that is gone keeps its addresses for nx_hold", "[discovery]") {
  DnsHistory history{upstream::DnsSource{}};
  CHECK(history.hold_ends() == base::never);
  history.take(answer({one, two}), start);
  CHECK_FALSE(history.take_absence(start).is_change);
  CHECK(history.hold_ends() == start + seconds{30});
  CHECK_FALSE(history.take_absence(start + seconds{29}).is_change);
  history.take(answer({one, two}), start + seconds{29});  // it was there again
  CHECK(history.hold_ends() == base::never);
  CHECK_FALSE(history.take_absence(start + seconds{40}).is_change);
  const auto change = history.take_absence(start + seconds{70});
  CHECK(change.is_change);
  CHECK(change.left.size() == 2);
  CHECK(change.left.at(one.spec.address) == start + seconds{29} + minutes{10});
  CHECK(history.size() == 0);
  CHECK_FALSE(history.take_absence(start + seconds{80}).is_change);
}

TEST_CASE("without nx_hold a name that is gone keeps its addresses for ever, with 0 not at all",
          "[discovery]") {
  upstream::DnsSource source;
  source.nx_hold.reset();
  DnsHistory keeps{source};
  keeps.take(answer({one}), start);
  CHECK_FALSE(keeps.take_absence(start).is_change);
  CHECK(keeps.hold_ends() == base::never);
  CHECK_FALSE(keeps.take_absence(start + std::chrono::hours{1000}).is_change);
  source.nx_hold = seconds{0};
  DnsHistory drops{source};
  drops.take(answer({one}), start);
  CHECK(drops.take_absence(start).is_change);
}

TEST_CASE("a source has no more addresses than an upstream, and those that were missed go first",
          "[discovery]") {
  upstream::DnsSource source;
  source.gone_after = 100;
  DnsHistory history{source};
  const auto numbered = [](std::size_t i) {
    return endpoint("10.0." + std::to_string(i / 250) + '.' + std::to_string(i % 250) + ":80");
  };
  std::vector<DnsEndpoint> all;
  for (std::size_t i = 0; i < base::endpoints_max + 5; ++i) all.push_back(numbered(i));
  CHECK(history.take(answer(all), start).cut == 5);
  CHECK(history.size() == base::endpoints_max);
  CHECK_FALSE(history.take(answer(all), start).is_change);
  history.take(answer({numbered(60'000)}), start);
  CHECK(history.size() == base::endpoints_max);
  CHECK(history.take(answer({numbered(60'001)}), start).left.count(numbered(60'000).spec.address) ==
        0);
}

}  // namespace penstock::discovery
