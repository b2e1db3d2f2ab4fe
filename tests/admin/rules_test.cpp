#include "admin/rules.hpp"

#include "admin/host.hpp"
#include "catch.hpp"

namespace penstock::admin {

namespace {

// 0 where it may go on, else the status of the refusal.
unsigned refusal_of(const AdminRequest& request, Access access) {
  const auto refusal = refused(request, access);
  return refusal ? refusal->status : 0;
}

}  // namespace

TEST_CASE("a write passes from the command line, and from a page of ours alone", "[admin]") {
  const AdminRequest drain{.method = "POST", .target = "/drain", .host = "127.0.0.1:9900"};
  const auto refusal_with = [&](auto&& change) {
    AdminRequest request = drain;
    change(request);
    return refusal_of(request, Access::write);
  };
  const auto from_page = [](const std::string& origin, bool is_marked) {
    return [=](AdminRequest& request) {
      request.origin = origin;
      request.is_marked = is_marked;
    };
  };
  CHECK(refusal_of(drain, Access::write) == 0);
  CHECK(refusal_with(from_page("http://127.0.0.1:9900", true)) == 0);
  CHECK(refusal_with([](AdminRequest& request) { request.fetch_site = "same-origin"; }) == 0);
  CHECK(refusal_with(from_page("http://127.0.0.1:9900", false)) == 403);
  CHECK(refusal_with(from_page("http://127.0.0.1:9901", true)) == 403);
  CHECK(refusal_with(from_page("https://127.0.0.1:9900", true)) == 403);
  CHECK(refusal_with(from_page("null", true)) == 403);
  for (const char* site : {"cross-site", "same-site", "none"})
    CHECK(refusal_with([&](AdminRequest& request) { request.fetch_site = site; }) == 403);
  CHECK(refusal_with([](AdminRequest& request) { request.host = "attacker.example"; }) == 403);
  CHECK(refusal_with([](AdminRequest& request) { request.host.reset(); }) == 403);
  CHECK(refusal_with([](AdminRequest& request) { request.read_only = true; }) == 403);
}

TEST_CASE("on loopback a read has to name us, but for health and metrics", "[admin]") {
  const auto refusal_for = [](const char* host, Access access) {
    return refusal_of({.method = "GET", .target = "/", .host = host, .guards_reads = true}, access);
  };
  CHECK(refusal_for("rebound.example", Access::read) == 403);
  CHECK(refusal_for("rebound.example", Access::health) == 0);
  CHECK(refusal_for("rebound.example", Access::metrics) == 0);
  CHECK(refusal_for("localhost:9900", Access::read) == 0);
  CHECK(refusal_for("[::1]:9900", Access::read) == 0);
  CHECK(refusal_of({.method = "GET", .target = "/", .host = "a.example"}, Access::read) == 0);
}

TEST_CASE("where there is a token, only health is told without it", "[admin]") {
  const auto refusal_with = [](const char* said, Access access) {
    return refusal_of({.method = "GET",
                       .target = "/",
                       .host = "127.0.0.1:9900",
                       .authorization = said,
                       .token = "a-long-enough-token"},
                      access);
  };
  for (const char* said :
       {"", "Bearer", "Bearer ", "Bearer a-long-enough-tokeN", "Bearer a-long-enough-token2",
        "Basic a-long-enough-token", "a-long-enough-token"}) {
    CAPTURE(said);
    CHECK(refusal_with(said, Access::read) == 401);
    CHECK(refusal_with(said, Access::metrics) == 401);
    CHECK(refusal_with(said, Access::write) == 401);
    CHECK(refusal_with(said, Access::health) == 0);
  }
  CHECK(refusal_with("Bearer a-long-enough-token", Access::read) == 0);
  CHECK(refusal_with("bearer a-long-enough-token", Access::write) == 0);
}

TEST_CASE("only literal addresses and localhost are literal hosts", "[admin]") {
  for (const char* host :
       {"127.0.0.1", "127.0.0.1:9900", "[::1]", "[::1]:80", "localhost", "LocalHost:9900",
        "10.1.2.3:1", "[::ffff:10.1.2.3]", "[fe80::1%2]:80", "[fe80::1%no-such-link]"}) {
    CAPTURE(host);
    CHECK(names_a_literal_host(host));
  }
  for (const char* host :
       {"", "example.com", "localhost.example.com", "127.0.0.1.nip.io", "::1", "[127.0.0.1]",
        "[localhost]", "127.0.0.1:80x", "[::1", "[::1]x", "127.1:80", "localhost:80:80", ":80",
        "127.0.0.1%2", "[%2]", "[127.0.0.1%2]", "unix:/run/a", "[unix:/run/a]"}) {
    CAPTURE(host);
    CHECK_FALSE(names_a_literal_host(host));
  }
}

}  // namespace penstock::admin
