#pragma once
// A proxy that asks the name server of this network.
//
// Owner    the test. REQUIRES: !no_name_server().

#include <string>

#include "e2e/penstock.hpp"
#include "e2e/temporary_folder.hpp"

namespace penstock::e2e {

class Resolving {
 public:
  // `resolv_conf`: further lines of that file.
  explicit Resolving(const std::string& source, const std::string& upstream = {},
                     const std::string& resolv_conf = {})
      : file_{folder_.write("resolv.conf", "nameserver 127.0.0.1\n" + resolv_conf)},
        penstock_{{.endpoints = {source},
                   .upstream = upstream,
                   .runtime = "drain: {timeout: 2s}",
                   .program = {.resolv_conf = file_}}} {}
  Penstock& penstock() noexcept { return penstock_; }
  double resolutions(const std::string& result) const {
    return penstock_.metrics().sum("penstock_dns_resolutions_total",
                                   {{"upstream", "app"}, {"result", result}});
  }
  void wait_for_resolution(const std::string& result, double count = 1) const {
    penstock_.wait_for_metric("penstock_dns_resolutions_total",
                              {{"upstream", "app"}, {"result", result}}, count);
  }

 private:
  TemporaryFolder folder_;
  const std::string file_;
  Penstock penstock_;
};

// A source, resolved once a second.
inline std::string dns(const std::string& name, const std::string& port,
                       const std::string& more = {}) {
  return "{dns: \"" + name + ":" + port + "\", refresh: 1s" + (more.empty() ? "" : ", " + more) +
         "}";
}

}  // namespace penstock::e2e
