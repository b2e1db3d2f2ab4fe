#pragma once
// What /etc/resolv.conf says about look-ups, read as the C library of this host reads it, so that
// penstock finds what every other program here finds: pure but for load_resolver_config().
//
// Thread   any; plain values.
// Limits   three servers, ndots 15, timeout 30 s, attempts 5, as in the C library, and 64 search
//          domains; what is beyond is left out, larger numbers are cut. Anything that cannot be
//          read is passed over, and so is a server whose address has a zone (fe80::1%eth0).
// Source   resolv.conf(5), glibc 2.36 resolv/res_init.c, resolv/res_query.c.

#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"

namespace penstock::discovery {

struct ResolverConfig {
  std::vector<std::string> servers;  // like "127.0.0.1:53" and "[::1]:53"; never empty
  std::vector<std::string> search;   // domains, without a dot at their ends; "" is the root
  int ndots = 1;
  // Of one try, where `timeout` is stated; else 2 s, which double with each attempt.
  base::Duration timeout{0};
  int attempts = 2;  // times that each server is asked
  bool rotate = false;
  bool over_tcp = false;
  bool operator==(const ResolverConfig&) const = default;

  base::Duration timeout_of(int attempt) const noexcept;  // counted from 0
  // A question that nobody answers takes so long.
  base::Duration longest_question() const noexcept;
};

// `domain` is that of the host, for a text that names none.
ResolverConfig parse_resolver_config(std::string_view text, std::string_view domain);
// Words like those of a line `options`.
void read_resolver_options(ResolverConfig& config, std::string_view words);

// The file of this host as it is now, with LOCALDOMAIN and RES_OPTIONS of the environment. One that
// cannot be read is empty: the server is this host.
ResolverConfig load_resolver_config();

// The whole names that `name` may stand for, in the order in which they are asked for. A name with
// a dot at its end is whole. Those that are too long for DNS are left out.
std::vector<std::string> search_names(const ResolverConfig& config, std::string_view name);

}  // namespace penstock::discovery
