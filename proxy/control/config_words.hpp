#pragma once
// Words for faults: values as a user may see them, and the name that was probably meant.

#include <string>
#include <string_view>
#include <vector>

namespace penstock::control {

// The text in single quotes, control characters as \xNN, and cut where it is longer than 64 bytes:
// a fault stays one readable line whatever stands in the file.
std::string in_quotes(std::string_view text);

// As in_quotes(), without the quotes: for a key in a path.
std::string printable(std::string_view text);

// "; did you mean 'name'?" for the nearest of `known`, empty where none is near.
std::string suggestion(std::string_view text, const std::vector<std::string>& known);

// "a, b or c".
std::string alternatives(const std::vector<std::string_view>& words);

}  // namespace penstock::control
