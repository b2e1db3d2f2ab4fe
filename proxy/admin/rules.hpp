#pragma once
// Who may ask the admin for what. Pure.
//
// A browser is the way in for pages that its user never meant to trust: it sends requests to any
// address, and under names that their owner leads to ours (DNS rebinding). So Host has to be a
// literal address or localhost for every write, and on a loopback TCP address for reads as well;
// and a page that writes has to be one of ours.

#include <optional>
#include <string>
#include <string_view>

namespace penstock::admin {

struct AdminRequest {
  std::string method;  // as it was sent
  std::string target;  // path, with a query or without
  std::optional<std::string> host;
  std::optional<std::string> origin{};
  std::optional<std::string> fetch_site{};  // Sec-Fetch-Site
  std::string authorization{};
  bool is_marked = false;   // X-Penstock: 1
  bool wants_news = false;  // Cache-Control: no-cache
  // Of the bind that it came to.
  bool read_only = false;
  bool guards_reads = false;    // loopback, TCP
  std::string_view token = {};  // empty: none is asked for
};

enum class Access {
  health,   // for everybody
  metrics,  // for all who have the token, where there is one
  read,
  write
};

struct AdminRefusal {
  unsigned status;
  std::string sentence;
};

// Empty where the request may go on.
std::optional<AdminRefusal> refused(const AdminRequest& request, Access access);

}  // namespace penstock::admin
