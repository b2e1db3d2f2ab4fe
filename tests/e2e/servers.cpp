#include "e2e/servers.hpp"

#include <catch2/catch.hpp>

#include "e2e/peer.hpp"
#include "e2e/program.hpp"

namespace penstock::e2e {

bool skip_without(const std::vector<std::string>& programs) {
  for (const std::string& name : programs)
    if (!has_program(name)) {
      WARN("skipped: " << name << " is not installed");
      return true;
    }
  return false;
}

bool skip_unless(bool allowed, const std::string& why) {
  if (!allowed) WARN("skipped: " << why);
  return !allowed;
}

void wait_until_reachable(const std::string& address) {
  wait_until(address + " answers", [&] {
    try {
      Peer::connect(address);
      return true;
    } catch (const Failure&) {
      return false;
    }
  });
}

}  // namespace penstock::e2e
