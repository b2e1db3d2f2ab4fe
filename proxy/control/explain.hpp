#pragma once
// `penstock explain`: which rule, upstream and endpoints a connection would meet, and why others
// are left out.
//
// Thread   control, or the command itself: from a file nothing runs, and states are those of a
//          fresh start.

#include <boost/json/fwd.hpp>
#include <string>
#include <vector>

#include "control/admin_view.hpp"

namespace penstock::session {
struct ListenerOptions;
}
namespace penstock::upstream {
class Registry;
}

namespace penstock::control {

// `listeners` are those of the configuration, in its order. The pieces point at the registry.
Explained explain_json(const ExplainQuestion& question,
                       const std::vector<const session::ListenerOptions*>& listeners,
                       const upstream::Registry& registry);

// The same for a human reader.
std::string explain_text(const boost::json::value& explained);

struct ExplainCommand {
  std::string file;
  std::string admin;  // empty: from the file
  bool json = false;
  ExplainQuestion question;
};

// The exit code: 0, 1 where the running proxy does not answer, 2 where the question or the file is
// at fault.
int explain(const ExplainCommand& command);

}  // namespace penstock::control
