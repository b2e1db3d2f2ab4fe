#pragma once
// From a request to its answer: paths and methods. No I/O.

#include <optional>
#include <string>
#include <string_view>

#include "admin/api.hpp"
#include "admin/rules.hpp"

namespace penstock::admin {

struct AdminAnswer {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body{};
  std::string allow{};             // of a 405
  std::optional<PageName> page{};  // then that is the body
  base::PagePieces pieces{};       // likewise, for this request alone
  // drained_answer() takes its place when the drain, which has begun, has ended.
  bool waits_for_drain = false;
};

AdminAnswer answer(const AdminRequest& request, AdminView& view);

AdminAnswer drained_answer(const DrainEnd& end);

// {"error": "..."}
AdminAnswer refusal(unsigned status, std::string_view sentence);

}  // namespace penstock::admin
