#include "admin/rules.hpp"

#include "admin/host.hpp"

namespace penstock::admin {

namespace {

// Takes as long for every text of one length.
bool equal_in_constant_time(std::string_view one, std::string_view other) {
  if (one.size() != other.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < one.size(); ++i)
    difference |= static_cast<unsigned char>(one[i]) ^ static_cast<unsigned char>(other[i]);
  return difference == 0;
}

bool bears_the_token(const AdminRequest& request) {
  constexpr std::string_view scheme = "bearer ";
  const std::string_view said = request.authorization;
  return said.size() > scheme.size() && equal_but_for_case(said.substr(0, scheme.size()), scheme) &&
         equal_in_constant_time(said.substr(scheme.size()), request.token);
}

bool names_us(const AdminRequest& request) {
  return request.host && names_a_literal_host(*request.host);
}

// Empty where the write may go on.
std::string write_forbidden_because(const AdminRequest& request) {
  if (request.read_only) return "this address is read-only";
  if (!names_us(request)) return "to write, Host must be a literal address or localhost";
  if (request.fetch_site && *request.fetch_site != "same-origin")
    return "a request from another web page may not write (Sec-Fetch-Site)";
  if (!request.origin) return {};
  if (*request.origin != "http://" + *request.host)
    return "a request from another web page may not write (Origin)";
  if (!request.is_marked) return "a web page that writes must send the header X-Penstock: 1";
  return {};
}

}  // namespace

std::optional<AdminRefusal> refused(const AdminRequest& request, Access access) {
  if (access == Access::health) return std::nullopt;
  if (!request.token.empty() && !bears_the_token(request))
    return AdminRefusal{401, "this address wants its token: Authorization: Bearer TOKEN"};
  if (access == Access::read && request.guards_reads && !names_us(request))
    return AdminRefusal{403,
                        "to read on this address, Host must be a literal address or localhost"};
  if (access != Access::write) return std::nullopt;
  std::string reason = write_forbidden_because(request);
  if (reason.empty()) return std::nullopt;
  return AdminRefusal{403, std::move(reason)};
}

}  // namespace penstock::admin
