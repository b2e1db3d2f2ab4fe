#include "e2e/servers.hpp"

#include "catch.hpp"
#include "e2e/network.hpp"
#include "e2e/peer.hpp"

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

Redis::Redis()
    : address_{free_address()},
      server_{{"redis-server", "--bind", "127.0.0.1", "--port", port_of(address_), "--save", "",
               "--appendonly", "no", "--dir", folder_.path()}} {
  wait_until_reachable(address_);
}

Nginx::Nginx(const TemporaryFolder& folder)
    : address_{free_address()},
      server_{{"nginx", "-p", folder.path(), "-e", folder.path("error.log"), "-c",
               folder.write("nginx.conf", configuration(folder))}} {
  wait_until_reachable(address_);
}

std::string Nginx::configuration(const TemporaryFolder& folder) const {
  return "daemon off; master_process off; pid " + folder.path("nginx.pid") +
         ";\nevents {}\nhttp { access_log off; sendfile on;\n  server { listen " + address_ +
         "; root " + folder.path("www") + "; }\n}\n";
}

}  // namespace penstock::e2e
