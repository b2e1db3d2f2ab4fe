#pragma once
// A regular expression (ECMAScript). std::regex costs seconds wherever it is instantiated: here,
// that is one file.

#include <memory>
#include <string>
#include <vector>

namespace penstock::tidy {

class Pattern {
 public:
  // REQUIRES: a valid expression. Throws std::regex_error otherwise.
  explicit Pattern(const std::string& expression, bool fold_case = false);
  ~Pattern();
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;

  bool is_in(const std::string& text) const;

  // The first match and its groups (an unmatched one is empty); nothing where there is none.
  std::vector<std::string> find_in(const std::string& text) const;

  std::string replace_in(const std::string& text, const std::string& with) const;

 private:
  struct Compiled;
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace penstock::tidy
