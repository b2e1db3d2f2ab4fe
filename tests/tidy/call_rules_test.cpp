#include "catch.hpp"
#include "tidy/rules.hpp"

namespace penstock::tidy {

TEST_CASE("a system call outside os/ is found", "[tidy]") {
  const std::string call = GENERATE(
      as<std::string>{}, "::recv(fd, p, n, 0);", "return ::send(fd, p, n, 0);", "x(::splice(a));",
      "if (::close(fd) != 0) {", "::epoll_wait(e);", "auto s = ::socket(1, 2, 3);", "!::read(fd);",
      "int n = setsockopt(fd, 1, 2);", "while (ioctl(fd, 1)) {", "epoll_ctl(e, 1, 2);");
  INFO(call);
  REQUIRE(bites(system_calls_only_in_os, "proxy/session/a.cpp", call));
  REQUIRE_FALSE(bites(system_calls_only_in_os, "proxy/os/a.cpp", call));
}

TEST_CASE("calls of our own that sound like system calls are right", "[tidy]") {
  const std::string call =
      GENERATE(as<std::string>{}, "os::send(fd, bytes);", "socket.close();", "file->read(into);",
               "std::vector<int>::size_type(3);", "::penstock::base::assertion_failed(a, b, c);",
               "// ::close(fd)", "log(\"::close(\");", "Half::connect(x);",
               "auto* made = ::new (place) Session(x);");
  INFO(call);
  REQUIRE_FALSE(bites(system_calls_only_in_os, "proxy/session/a.cpp", call));
}

TEST_CASE("a look at the clock outside os/ is found", "[tidy]") {
  const Rule rule = time_and_chance_only_in_os;
  REQUIRE(bites(rule, "proxy/session/a.cpp", "auto t = std::chrono::steady_clock::now();"));
  REQUIRE(bites(rule, "proxy/session/a.cpp", "auto t = Clock::now();"));
  REQUIRE(bites(rule, "proxy/session/a.cpp", "clock_gettime(CLOCK_MONOTONIC, &t);"));
  REQUIRE(bites(rule, "proxy/control/a.cpp", "std::time(nullptr);"));
  REQUIRE_FALSE(bites(rule, "proxy/os/clock.cpp", "auto t = std::chrono::steady_clock::now();"));
  REQUIRE_FALSE(bites(rule, "proxy/session/a.cpp", "auto t = os::now();"));
}

TEST_CASE("chance that nobody passed down is found", "[tidy]") {
  const Rule rule = time_and_chance_only_in_os;
  REQUIRE(bites(rule, "proxy/upstream/a.cpp", "std::random_device source;"));
  REQUIRE(bites(rule, "proxy/upstream/a.cpp", "std::mt19937 engine;"));
  REQUIRE(bites(rule, "proxy/upstream/a.cpp", "std::mt19937_64 engine{};"));
  REQUIRE(bites(rule, "proxy/upstream/a.cpp", "pick(std::mt19937());"));
  REQUIRE_FALSE(bites(rule, "proxy/upstream/a.cpp", "std::mt19937_64 engine{seed};"));
  REQUIRE_FALSE(bites(rule, "proxy/upstream/a.hpp", "std::mt19937_64 engine_;"));
}

TEST_CASE("a test that sleeps is found", "[tidy]") {
  const Rule rule = no_sleep_in_tests;
  REQUIRE(bites(rule, "tests/e2e/a.cpp", "std::this_thread::sleep_for(10ms);"));
  REQUIRE(bites(rule, "tests/e2e/a.cpp", "usleep(10);"));
  REQUIRE(bites(rule, "tests/e2e/a.cpp", "::nanosleep(&t, nullptr);"));
  REQUIRE_FALSE(bites(rule, "tests/e2e/a.cpp", "wait_until([&] { return ready; });"));
  REQUIRE_FALSE(bites(rule, "tests/e2e/a.cpp", "// no sleep_for(10ms) here"));
}

}  // namespace penstock::tidy
