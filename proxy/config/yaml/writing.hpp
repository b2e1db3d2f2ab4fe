#pragma once
// A tree as YAML in block style. Pure; any thread.
//
// Source   YAML 1.2.2, 7.3.1 (a double-quoted scalar knows all escapes of JSON) and 8.2.

#include <boost/json/fwd.hpp>
#include <string>

namespace penstock::config {

// A map or a list at the top; numbers are integers.
std::string yaml_text(const boost::json::value& tree);

}  // namespace penstock::config
