#pragma once
// From the answers to the endpoints of a source: pure. One answer is not the whole truth: names may
// answer with some of their addresses at a time, and a name may be gone for a moment.
//
//   an address that is                          | stays until
//   --------------------------------------------+-----------------------------------------------
//   not in the answer                           | `gone_after` answers in a row do not name it
//   in a question that nobody answered          | it is answered: silence does not count
//   of a name that does not exist, or is empty  | that has lasted for `nx_hold`
//
// What left is told together with the time when it may be forgotten: `forget_after` after it was
// last named.
//
// Owner    DnsWatch, for one source. Thread: any one.
// Limits   base::endpoints_max addresses: the first ones of an answer, then those that were missed
//          least.

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "discovery/dns_lookup.hpp"

namespace penstock::discovery {

class DnsHistory {
 public:
  explicit DnsHistory(upstream::DnsSource source) : source_{std::move(source)} {}

  struct Change {
    bool is_change = false;
    std::map<os::SocketAddress, base::Instant> left;  // and when each may be forgotten
    std::size_t cut = 0;                              // how many found no place
  };
  // REQUIRES: an answer with addresses; of one look-up first the partial ones.
  Change take(const DnsFound& found, base::Instant now);
  // There is no such name, or it has no addresses.
  Change take_absence(base::Instant now);

  std::vector<upstream::EndpointSpec> endpoints() const;  // by identity
  std::size_t size() const noexcept { return addresses_.size(); }
  // When the absence has lasted long enough; never where there is none.
  base::Instant hold_ends() const noexcept;

 private:
  struct Address {
    DnsEndpoint endpoint;
    int misses = 0;  // answers in a row that did not name it
    base::Instant named{};
  };

  void note(const DnsEndpoint& endpoint, base::Instant now, Change& change);
  void miss(std::span<const DnsEndpoint> endpoints, const DnsFound& found, Change& change);
  void leave(std::map<std::string, Address>::iterator address, Change& change);
  void make_room(Change& change);

  const upstream::DnsSource source_;
  std::map<std::string, Address> addresses_;  // by identity
  std::set<DnsOrigin> counted_;               // misses of the look-up under way
  std::optional<base::Instant> absent_since_;
};

}  // namespace penstock::discovery
