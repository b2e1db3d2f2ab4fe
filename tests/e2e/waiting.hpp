#pragma once
// Waiting for facts. No test of this folder guesses a time: it names a fact, and a deadline after
// which it gives up and says what it waited for.
//
// Errors   Failure, an exception: unlike Catch's macros it may be thrown on any thread.

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>

namespace penstock::e2e {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

// For whatever should happen soon; sanitizers on a busy machine are slow.
inline constexpr Milliseconds soon = 20s;

struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A Failure with the errno's text.
[[noreturn]] void fail_with_errno(const std::string& what);

// Returns when `fact` holds; looks some hundred times a second.
void wait_until(const std::string& what, const std::function<bool()>& fact,
                Milliseconds deadline = soon);

// Watches for the whole `duration` that `fact` holds; fails at the first look where it does not.
void holds_for(Milliseconds duration, const std::string& what, const std::function<bool()>& fact);

// What is left until `deadline`, for poll(2); never negative.
int milliseconds_until(Clock::time_point deadline);

}  // namespace penstock::e2e
