#pragma once
// What the documents promise and this version does not have yet: names that are no mistake of who
// writes them. Each is answered with "not supported yet", where another name is unknown.
//
// tests/contract/names.yaml says of every promised name whether it is built; a test holds these
// tables against it. Who builds one takes it out here.
//
// Thread   any. Pure.

#include <span>
#include <string_view>

namespace penstock::base {

inline constexpr std::string_view not_supported_yet = "not supported yet";

// A key of the configuration, as in schema_keys(): listeners[].routes.
bool is_promised_key(std::string_view pattern);

// A value of that key.
bool is_promised_value(std::string_view pattern, std::string_view value);

// A page of the administration: a path without its query, where * is one segment of any text.
std::span<const std::string_view> promised_pages();

struct PromisedParameter {
  std::string_view page;  // a path as above
  std::string_view name;
  std::string_view value;  // empty: with any
};
std::span<const PromisedParameter> promised_parameters();

// A word of the command line: a verb, an option of a verb, or what an argument may say.
struct PromisedWord {
  std::string_view where;  // "ctl", "ctl endpoint STATE"; empty: behind penstock itself
  std::string_view word;
};
std::span<const PromisedWord> promised_words();

}  // namespace penstock::base
