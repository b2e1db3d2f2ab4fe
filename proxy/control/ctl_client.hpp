#pragma once
// One HTTP request to an admin address, and how its target is written.

#include <chrono>
#include <string>
#include <string_view>

#include "control/ctl.hpp"

namespace penstock::control {

// `admin` is ip:port, [v6]:port, name:port or unix:/path. Waits for at most `timeout`; the answer
// is at most 16 MiB. $PENSTOCK_TOKEN_FILE names the file of the token that the address asks for.
// Errors: the sentence that a user should read, with the address in it.
CtlFetched fetch(const std::string& admin, std::string_view method, std::string_view target,
                 std::chrono::milliseconds timeout = std::chrono::seconds{5});

// Any text as one segment of a target's path or one value of its query: what would end it is
// percent-encoded.
std::string part_of_target(std::string_view text);

}  // namespace penstock::control
