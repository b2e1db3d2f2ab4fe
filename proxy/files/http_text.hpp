#pragma once
// Words of an HTTP response: dates, reasons. Pure.

#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::files {

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7).
std::string http_date(std::int64_t seconds_since_1970);

// "Not Found" for 404. Only for the statuses that this floor sends.
std::string_view reason_phrase(int status) noexcept;

}  // namespace penstock::files
