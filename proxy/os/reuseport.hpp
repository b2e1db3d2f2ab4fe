#pragma once
// Several listening sockets at one address (SO_REUSEPORT), and a classic BPF program that chooses
// among them by the CPU on which a SYN was received.
//
// Owner    the caller owns the sockets. Thread: any.
// Binding  the first socket binds without the option, so that an address in use is an error and not
//          a shared queue; then it gets the option, and the others join. Other processes of the
//          same user could join as well: the option is theirs to ask for.
// Steering the program stands before the first socket listens. Until all do, its answers name
//          sockets that are not there, and the kernel then takes one that is, by a hash of the
//          addresses; so it does for a CPU that no rule knows (one that came online later).
// Closing  a member makes the last one take its place: from then on the program's answers name
//          other members, or none. Connections in the queue of the member are reset. So a member
//          first drops new SYNs (drop_new_handshakes) and empties its queue; whom it turned away
//          comes again, to any member that still listens.
// Errors   the sentence, as of listen_on(). A kernel that refuses the option or the program is
//          none: then there is one socket, or the kernel's hash chooses, and `refused` says so.
// Source   socket(7), net/core/sock_reuseport.c.

#include <linux/filter.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "os/socket.hpp"

namespace penstock::os {

// SYNs that these CPUs receive go to one of the members [first, first + count), at random.
struct SteeringRule {
  std::vector<int> cpus;  // ascending
  std::uint32_t first = 0;
  std::uint32_t count = 1;
  bool operator==(const SteeringRule&) const = default;
};

// Pure. Empty where it would not fit into BPF_MAXINSNS: over 600 separate ranges of CPUs.
std::vector<sock_filter> steering_program(const std::vector<SteeringRule>& rules);

struct ListenGroup {
  std::vector<Fd> sockets;  // at least one
  std::optional<std::string> refused{};
};

// As many sockets as the rules have members, in their order. A unix socket is one alone.
base::SentenceOr<ListenGroup> listen_as_group(const SocketAddress& address,
                                              const ListenOptions& listen,
                                              const SocketOptions& options,
                                              const std::vector<SteeringRule>& rules);

}  // namespace penstock::os
