#pragma once
// From a request to its answer: paths, methods and who may write. No I/O.

#include <optional>
#include <string>
#include <string_view>

#include "control/admin_view.hpp"

namespace penstock::control {

struct AdminRequest {
  std::string method;  // as it was sent
  std::string target;  // path, with a query or without
  std::optional<std::string> host;
  bool has_origin = false;
  bool read_only = false;  // of the bind that it came to
};

struct AdminAnswer {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::string allow;  // of a 405
};

AdminAnswer answer(const AdminRequest& request, AdminView& view);

// {"error": "..."}
AdminAnswer refusal(unsigned status, std::string_view sentence);

}  // namespace penstock::control
