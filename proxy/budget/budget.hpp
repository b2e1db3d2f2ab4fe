#pragma once
// From the limits of this machine to the numbers of this process. Pure.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "os/kernel_limits.hpp"
#include "runtime/options.hpp"

namespace penstock::budget {

struct Limits {
  std::uint64_t descriptors = 0;           // RLIMIT_NOFILE
  std::uint64_t pipe_user_pages_soft = 0;  // 0 = not bound
  std::uint64_t pipe_bytes_max = 0;        // fs.pipe-max-size; 0 = not known
  std::uint64_t page_bytes = 4096;
  std::uint64_t memory_bytes = 0;  // of the control group; 0 = not bound
  // These bound no number of the plan: the forwarders were counted from the first two, and the
  // kernel cuts by the third what sockets ask for.
  std::size_t cpus = 0;  // of the cpuset
  double cpu_quota = 0;  // of the control group, in CPUs; 0 = not bound
  os::SocketLimits sockets{};
};

// What the configuration says about it.
struct Configured {
  const runtime::ServerSpec& server;
  std::optional<std::size_t> max_pipes{};  // relay.max_pipes; empty = auto
  std::optional<std::size_t> pipe_size{};  // relay.pipe_size; likewise
  std::size_t admin_binds = 0;
};

struct ResourceRequest {
  std::size_t forwarders = 1;
  bool forwarders_asked = false;            // for this number, else it follows from the CPUs
  std::optional<std::size_t> pipe_bytes{};  // empty = auto: budget/pipe_sizes
  std::size_t buffer_bytes = 64 * 1024;
  bool splices = true;                           // false: no engine that needs a pipe may run
  bool rings = false;                            // each forwarder has an io_uring with buffers
  std::optional<std::size_t> max_pipes{};        // empty = auto; 0 = never a pipe
  std::optional<std::size_t> max_connections{};  // empty = auto
  std::size_t checked_endpoints = 0;             // by active health checks
  std::size_t dns_sources = 0;
  std::size_t open_files = 0;  // kept by all forwarders for all listeners of files
  // That are open whatever the traffic: of threads, listeners, logs, the sandbox.
  std::size_t own_descriptors = 0;
  std::size_t admin_binds = 0;
};

// What each resource alone has room for; empty where it sets no bound.
struct Bounds {
  std::size_t connections_by_descriptors = 0;
  std::optional<std::size_t> connections_by_memory{};
  std::size_t pipes_by_descriptors = 0;
  std::optional<std::size_t> pipes_by_pages{};  // of the user, for pipes that are whole
};

struct Plan {
  std::size_t pipes_total = 0;
  std::size_t pipes_per_forwarder = 0;
  std::size_t pipe_bytes = 0;
  std::size_t grown_pipes_per_forwarder = 0;  // of all: so many may grow
  std::size_t grown_pipe_bytes = 0;
  std::size_t connections_max = 0;
  std::size_t buffers_per_forwarder = 0;
  std::size_t checks_at_once = 0;
  std::size_t open_files = 0;    // of all those that were wished for
  std::size_t admin_places = 0;  // connections of each admin address
  Bounds bounds;
  std::vector<std::string> warnings;  // what did not fit, and what to change
};

// Every pipe takes base::descriptors_per_pipe, every connection base::descriptors_per_connection;
// what penstock opens for itself is counted and kept for it, base::descriptors_reserved at least
// where that is no more than a quarter of all, and what health checks (one each, at most a
// sixteenth of all), the admin's connections (64 of each address, at most a sixteenth for all
// addresses, one at least) and lookups of names need.
//
//   pipes auto        the smallest of: what pipe-user-pages-soft allows whole, a sixteenth of the
//                     descriptors, two per connection, and what max_connections leaves; at least
//                     one per forwarder
//   pipes asked for   what max_connections leaves; a quarter of the descriptors where that is auto:
//                     without a pipe bytes are copied, without a place nobody is served
//   connections auto  what is left: who is let in finds a descriptor for his endpoint, too
//   open files        as many as the listeners of files ask for, at most an eighth of the
//                     descriptors
//   memory            where a group limits it: base::memory_reserved_bytes for the program, a
//                     quarter of the rest for held buffers, base::memory_per_connection_bytes for
//                     each connection
//
// A number that was asked for and does not fit is cut down, and a warning says so.
Plan plan_budget(const Limits& limits, const ResourceRequest& request);

// Of this process: reads the limits of the machine.
// Who gives up its capabilities later is bound by what binds everybody.
Limits limits_of_this_process(bool keeps_capabilities);
ResourceRequest request_of(const Configured& configured);

// What the kernel will cut without a word, and what to change: backlogs and socket buffers.
std::vector<std::string> kernel_cuts(const runtime::ServerSpec& spec,
                                     const os::SocketLimits& limits);

// All of it; the warnings of the plan have the cuts of the kernel, too.
struct Budget {
  Limits limits;
  ResourceRequest request;
  Plan plan;
};
Budget budget_of(const Configured& configured, const Limits& limits);

// The spec with the plan's numbers where the server looks for them.
runtime::ServerSpec within(const Plan& plan, runtime::ServerSpec spec);

}  // namespace penstock::budget
