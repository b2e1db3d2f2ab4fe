#pragma once
// From what a socket or OpenSSL reports to a result and a sentence.
//
// Pure. Thread: any.

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"
#include "upstream/health_spec.hpp"

namespace penstock::health {

// `expired`: the check was ended by its own timeout, whatever the error is. `said`: what came of an
// answer until then.
upstream::CheckOutcome failed_check(const base::ErrorCode& error, bool expired,
                                    const upstream::HealthSpec& spec, std::string_view said = {});

// The first bytes of what an endpoint said, in quotes, as they may stand anywhere: '-NOAUTH\r\n'.
std::string first_bytes_of(std::string_view said);

// "1s", "250ms".
std::string short_duration(base::Duration duration);

}  // namespace penstock::health
