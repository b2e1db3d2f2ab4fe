#pragma once
// From what a socket or OpenSSL reports to a result and a sentence.
//
// Pure. Thread: any.

#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "upstream/health_spec.hpp"

namespace penstock::upstream {

// `expired`: the check was ended by its own timeout, whatever the error is.
CheckOutcome failed_check(const base::ErrorCode& error, bool expired, base::Duration timeout);

// "1s", "250ms".
std::string short_duration(base::Duration duration);

}  // namespace penstock::upstream
