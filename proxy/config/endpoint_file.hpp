#pragma once
// A file that lists endpoints: the same forms as in the configuration, ${NAME} included, but only
// literal addresses.
//
//   - 10.0.0.1:80
//   - {address: 10.0.0.2:80, weight: 3, max_connections: 100, backup: true, name: blue}
//
// `[]` says that there are none. A file without any content says nothing: it is being written.
//
// Thread   any; pure.
// Limits   those of a configuration file, and base::endpoints_max endpoints.

#include <string>
#include <vector>

#include "config/config.hpp"

namespace penstock::config {

struct EndpointFile {
  std::vector<upstream::EndpointSpec> endpoints;  // empty where there are faults
  std::vector<Fault> faults;                      // sorted by position
};

// `file` is the name for the faults.
EndpointFile parse_endpoint_file(const std::string& text, const std::string& file);

// A file that is wrong as a whole, or cannot be read.
EndpointFile failed_endpoint_file(const std::string& file, std::string sentence);

}  // namespace penstock::config
