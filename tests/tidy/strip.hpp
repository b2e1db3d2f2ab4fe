#pragma once
// C++ text without its prose.

#include <string>
#include <string_view>

namespace penstock::tidy {

// Blanks out comments and the insides of string and character literals (raw ones too). The quotes,
// every line break and every column stay where they were.
std::string strip_prose(std::string_view text);

// A byte of a C++ name.
bool is_word(char byte);

}  // namespace penstock::tidy
