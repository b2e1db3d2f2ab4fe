#pragma once
// One HTTP request to an admin address, and how its target is written.

#include <chrono>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "cli/ctl/verbs.hpp"

namespace penstock::cli {

// What is wrong with `admin`, which is to be ip:port, [v6]:port, name:port, unix:/path or
// unix:@name; empty where nothing is. Pure.
std::string fault_of_admin(const std::string& admin);

// Waits for at most `patience`, for ever where that is Duration::max(); the answer is at most 16
// MiB. $PENSTOCK_TOKEN_FILE names the file of the token that the address asks for.
// Errors: the sentence that a user should read, with the address in it.
// REQUIRES: fault_of_admin() finds none.
CtlFetched fetch(const std::string& admin, std::string_view method, std::string_view target,
                 base::Duration patience = std::chrono::seconds{5});

// Any text as one segment of a target's path or one value of its query: what would end it is
// percent-encoded.
std::string part_of_target(std::string_view text);

}  // namespace penstock::cli
