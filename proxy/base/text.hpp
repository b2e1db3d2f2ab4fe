#pragma once
// The gate for text from outside: environment, requests, files, peers. What passes may stand in
// JSON, in a label, in a line of a log and on a terminal. Pure; any thread.
//
// Source   RFC 3629 (UTF-8); ECMA-48 and ISO 6429 (control characters, C0 and C1).

#include <cstddef>
#include <string>
#include <string_view>

namespace penstock::base {

// Bytes of the UTF-8 sequence at the front of `text`; 0 where there is none.
std::size_t utf8_length(std::string_view text) noexcept;

bool is_utf8(std::string_view text) noexcept;

// UTF-8 without control characters: NUL to U+001F, and U+007F to U+009F, which terminals obey as
// they obey ESC.
bool is_plain_text(std::string_view text) noexcept;

// Each byte of what is not plain text as \xNN; the rest as it is. For what has to be shown all the
// same.
std::string printable(std::string_view text);

// The same in single quotes, and those inside of it as \x27: where it ends is no question.
std::string quoted(std::string_view text);

// Appends `text` as a JSON string with its quotes; a byte that is not UTF-8 as \\xNN.
void append_json_string(std::string& out, std::string_view text);

}  // namespace penstock::base
