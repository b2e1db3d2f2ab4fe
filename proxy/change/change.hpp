#pragma once
// What another configuration changes in the one that is in force. Pure: it is what the two say.
// Whether it can be done (a port that is taken, a folder out of the sandbox's reach) is found by
// who does it.
//
// Identity  An upstream is its name, an endpoint its identity within its upstream. A listener is
//           its name; one with a new name that binds an address of one whose name is gone is that
//           one, renamed. A socket is its address with what can only be said before it is bound.
// Order     That of listeners and upstreams means nothing; that of endpoints is a key of its own.
// Cost      n log n in listeners, addresses, upstreams and endpoints; among entries of `endpoints`
//           that name the same, the square of their number.

#include <cstdint>
#include <string>
#include <vector>

#include "base/enum_names.hpp"
#include "os/address.hpp"

namespace penstock::config {
struct Config;
}

namespace penstock::change {

enum class Fate : std::uint8_t { kept, changed, added, removed };
inline constexpr base::EnumNames<Fate, 4> fate_names{{"kept", "changed", "added", "removed"}};
static_assert(fate_names[Fate::removed] == "removed");

// The keys that say something else, as they stand in the configuration: "idle_timeout". Empty but
// for what is changed.
using Keys = std::vector<std::string>;

// A socket that stays open, for another listener.
struct HandedOver {
  os::SocketAddress address;
  std::string from;  // the name of its listener until now
  bool operator==(const HandedOver&) const = default;
};

struct ListenerChange {
  std::string name;
  Fate fate = Fate::kept;
  std::string formerly{};  // its name until now, where that was another
  Keys keys{};
  // Its sockets, but for those that it keeps.
  std::vector<os::SocketAddress> opened{};
  std::vector<os::SocketAddress> closed{};
  std::vector<HandedOver> taken_over{};
  std::vector<os::SocketAddress> given_away{};  // to who takes them over
};

struct EndpointChange {
  std::string identity;  // of a name or a file: what upstream::source_text() says
  Fate fate = Fate::changed;
  Keys keys{};
  bool operator==(const EndpointChange&) const = default;
};

struct UpstreamChange {
  std::string name;
  Fate fate = Fate::kept;
  Keys keys{};
  std::vector<EndpointChange> endpoints{};  // without those that are kept
};

struct Change {
  // All of either configuration: first those of the new one, in its order.
  std::vector<ListenerChange> listeners;
  std::vector<UpstreamChange> upstreams;
  Keys process;        // of what concerns all of it: "log.level"
  Keys needs_restart;  // likewise, of what is settled once the threads run: "runtime.forwarders"

  bool is_empty() const noexcept;
};

Change difference(const config::Config& running, const config::Config& next);

// A sentence for each thing that is not kept, for people.
std::vector<std::string> sentences_of(const Change& change);

}  // namespace penstock::change
