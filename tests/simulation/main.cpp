// Runs the real forwarder in the simulated kernel, one life for each seed.
//
//   simulate                        seeds 1 to 2000
//   simulate --from 17 --to 17      one seed again: the same run, step for step
//   simulate ... --files            clients of a static listener, not of endpoints
//   simulate ... --acceptors        two acceptors at the limits that they share, and no forwarder
//   simulate ... --trace            and what every call answered
//
// Exit code 1 and one line on the first violation, with the seed and the step.

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>

#include "simulation/accept_world.hpp"
#include "simulation/file_world.hpp"
#include "simulation/world.hpp"

namespace penstock::simulation {

namespace {

std::uint64_t current_seed = 0;
Tally tally;  // of the seeds before
std::chrono::steady_clock::time_point begun;

std::string where() {
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begun;
  return fmt::format("seed {}, step {}; {} steps and {:.2f} s since the first seed", current_seed,
                     Kernel::current().steps(), tally.steps + Kernel::current().steps(),
                     passed.count());
}

// An assertion of the code under test has spoken on stderr; this adds where to find it again.
void note_abort(int) {
  const std::string line = fmt::format("violated: an assertion holds ({})\n", where());
  [[maybe_unused]] const auto written = ::write(2, line.data(), line.size());
  ::_exit(1);
}

template <class AnyWorld>
void live(std::uint64_t seed) {
  AnyWorld world{seed};
  world.run(tally);
}

void print_tally() {
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begun;
  const double seconds = passed.count();
  fmt::print("{} connections, {} steps, {:.1f} s, {:.0f} steps/s\n", tally.connections, tally.steps,
             seconds, static_cast<double>(tally.steps) / seconds);
  for (std::size_t i = 0; i < tally.bytes.size(); ++i)
    fmt::print("  bytes by {}: {}\n", relay::engine_names[static_cast<relay::Engine>(i)],
               tally.bytes[i]);
  for (std::size_t i = 0; i < tally.reasons.size(); ++i)
    if (tally.reasons[i] > 0)
      fmt::print("  {}: {}\n", session::close_reason_names[static_cast<session::CloseReason>(i)],
                 tally.reasons[i]);
}

}  // namespace

void violated(const char* invariant, int connection, const std::string& what) {
  fmt::print(stderr, "violated: {} (connection {}, {}): {}\n", invariant, connection, where(),
             what);
  std::fflush(nullptr);
  ::_exit(1);
}

}  // namespace penstock::simulation

int main(int argc, char** argv) {
  using namespace penstock::simulation;
  std::uint64_t from = 1;
  std::uint64_t to = 2000;
  CLI::App app{
      "The real forwarder in a simulated kernel; see the head of tests/simulation/main.cpp"};
  app.add_option("--from", from, "first seed");
  app.add_option("--to", to, "last seed");
  bool files = false;
  app.add_flag("--files", files, "clients of a static listener");
  bool acceptors = false;
  app.add_flag("--acceptors", acceptors, "two acceptors at their limits")->excludes("--files");
  bool trace = false;
  app.add_flag("--trace", trace, "print every call");
  CLI11_PARSE(app, argc, argv);
  Kernel::set_trace(trace);
  std::signal(SIGABRT, note_abort);
  const auto live_once = acceptors ? live<AcceptWorld> : files ? live<FileWorld> : live<World>;
  begun = std::chrono::steady_clock::now();
  for (current_seed = from; current_seed <= to; ++current_seed) live_once(current_seed);
  print_tally();
}
