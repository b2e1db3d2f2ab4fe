#pragma once
// What other proxies call the same thing: HAProxy, nginx, Envoy, Traefik, and YAML's older
// booleans.
//
// Pure. Thread: any.

#include <string_view>

namespace penstock::base {

// Our word for one of theirs, as a key or as a value: leastconn, servers. Empty where it is none.
std::string_view our_word_for(std::string_view theirs);

}  // namespace penstock::base
