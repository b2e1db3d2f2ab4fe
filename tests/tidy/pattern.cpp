#include "tidy/pattern.hpp"

#include <regex>

namespace penstock::tidy {

struct Pattern::Compiled {
  std::regex regex;
};

Pattern::Pattern(const std::string& expression, bool fold_case)
    : compiled_{std::make_unique<Compiled>()} {
  const auto flags =
      fold_case ? std::regex::ECMAScript | std::regex::icase : std::regex::ECMAScript;
  compiled_->regex.assign(expression, flags);
}

Pattern::~Pattern() = default;

bool Pattern::is_in(const std::string& text) const {
  return std::regex_search(text, compiled_->regex);
}

std::vector<std::string> Pattern::find_in(const std::string& text) const {
  std::smatch match;
  if (!std::regex_search(text, match, compiled_->regex)) return {};
  return {match.begin(), match.end()};
}

std::string Pattern::replace_in(const std::string& text, const std::string& with) const {
  return std::regex_replace(text, compiled_->regex, with);
}

}  // namespace penstock::tidy
