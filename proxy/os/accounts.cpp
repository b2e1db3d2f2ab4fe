#include "os/accounts.hpp"

#include <grp.h>
#include <pwd.h>

#include <charconv>

namespace penstock::os {

namespace {

std::optional<unsigned> number_in(const std::string& text) noexcept {
  unsigned value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc{} && stop == end ? std::optional{value} : std::nullopt;
}

}  // namespace

std::optional<unsigned> user_id(const std::string& name_or_number) {
  if (const auto number = number_in(name_or_number)) return number;
  const passwd* entry = ::getpwnam(name_or_number.c_str());
  return entry == nullptr ? std::nullopt : std::optional<unsigned>{entry->pw_uid};
}

std::optional<unsigned> group_id(const std::string& name_or_number) {
  if (const auto number = number_in(name_or_number)) return number;
  const group* entry = ::getgrnam(name_or_number.c_str());
  return entry == nullptr ? std::nullopt : std::optional<unsigned>{entry->gr_gid};
}

std::optional<unsigned> group_of_user(unsigned user) {
  const passwd* entry = ::getpwuid(user);
  return entry == nullptr ? std::nullopt : std::optional<unsigned>{entry->pw_gid};
}

}  // namespace penstock::os
