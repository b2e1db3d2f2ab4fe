// Prints the allow-lists for record.py: `list KIND CALL NUMBER`.
#include <cstdio>

#include "catch.hpp"
#include "control/control_calls.hpp"
#include "os/sandbox.hpp"
#include "runtime/thread_lock.hpp"

namespace penstock {

namespace {

void print(const char* kind, const os::CallRules& rules) {
  REQUIRE_FALSE(rules.empty());
  for (const os::CallRule& rule : rules)
    if (const auto number = os::number_of_call(rule.name))
      std::printf("list %s %s %d\n", kind, rule.name, *number);
}

}  // namespace

TEST_CASE("the lists of all kinds of threads are there", "[lists]") {
  print("forwarder", runtime::forwarder_calls());
  print("acceptor", runtime::acceptor_calls());
  print("control", control::control_calls());
  print("log", control::log_calls(true));
  print("files", control::reader_calls());
}

}  // namespace penstock
