#pragma once
// Words of an HTTP response: dates, media types, reasons. Pure.

#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::files {

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7).
std::string http_date(std::int64_t seconds_since_1970);

// By the extension of the last path segment, case ignored; text bears its charset, UTF-8.
// "application/octet-stream" where the extension is unknown or missing.
std::string_view content_type(std::string_view path) noexcept;

// "Not Found" for 404. Only for the statuses that this floor sends.
std::string_view reason_phrase(int status) noexcept;

}  // namespace penstock::files
