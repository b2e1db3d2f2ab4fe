#pragma once
// `penstock explain`: which rule, upstream and endpoints a connection would meet, and why others
// are left out. From a file nothing runs, and states are those of a fresh start.

#include <boost/json/fwd.hpp>
#include <string>

#include "admin/api.hpp"

namespace penstock::cli {

// The answer of explain_json() for a human reader.
std::string explain_text(const boost::json::value& explained);

struct ExplainCommand {
  std::string file;
  std::string admin;  // empty: from the file
  bool json = false;
  admin::ExplainQuestion question;
};

// The exit code: 0, 1 where the running proxy does not answer, 2 where the question or the file is
// at fault.
int explain(const ExplainCommand& command);

}  // namespace penstock::cli
