#pragma once
// Users and groups of this host, by name or by number.
//
// Thread   the control thread, before others ask: getpwnam(3) answers into memory of its own.

#include <optional>
#include <string>

namespace penstock::os {

// A number is taken as it is. Empty: nobody has this name.
std::optional<unsigned> user_id(const std::string& name_or_number);
std::optional<unsigned> group_id(const std::string& name_or_number);

// The group that the host's list of users gives a user; empty: it does not know him.
std::optional<unsigned> group_of_user(unsigned user);

}  // namespace penstock::os
