#include <algorithm>

#include "tidy/outline.hpp"
#include "tidy/pattern.hpp"
#include "tidy/rules.hpp"

namespace penstock::tidy {

namespace {

// Prose has its own measure: Markdown tables and YAML examples may be as wide and long as they
// need.
bool is_source(const SourceFile& file) {
  const bool prose = file.path.ends_with(".md") || file.path.ends_with(".yaml");
  return !prose && (file.in("proxy/") || file.in("tests/") || file.in("scripts/") ||
                    file.in(".ci/") || file.path == "CMakeLists.txt" || file.path == "Dockerfile");
}

// Characters, not bytes: the bytes after the first of a UTF-8 character do not count.
std::size_t columns_of(const std::string& line) {
  const auto starts = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
  return static_cast<std::size_t>(std::count_if(line.begin(), line.end(), starts));
}

// `const` in front of a '*' is that of the target; the pointer itself can still be changed.
bool is_constant(const std::string& text) {
  static const Pattern words{R"(\b(const|constexpr|consteval)\b)"};
  static const Pattern changeable_pointer{R"(\*\s*\w+\s*(\[|=|\{|$))"};
  static const Pattern compile_time{R"(\b(constexpr|consteval)\b)"};
  if (!words.is_in(text)) return false;
  return compile_time.is_in(text) || !changeable_pointer.is_in(text);
}

bool is_declaration_without_state(const std::string& text) {
  static const Pattern others{
      R"re(^((using|typedef|namespace|template|friend|static_assert|concept)\b|extern "))re"};
  static const Pattern only_a_type{R"(^(\[\[.*\]\] )?(class|struct|union|enum)\b[^{=]*(\{\})?$)"};
  static const Pattern typed_variable{R"(^(class|struct|union|enum) [\w:]+ \w+$)"};
  if (others.is_in(text)) return true;
  return only_a_type.is_in(text) && !typed_variable.is_in(text);
}

// A parenthesis before any initializer: a function is declared, or a macro used. Template arguments
// are set aside first: std::function<void()> is no declaration.
bool declares_function(std::string text) {
  static const Pattern innermost_arguments{R"(<[^<>]*>)"};
  std::string shorter = innermost_arguments.replace_in(text, "");
  while (shorter != text) {
    text = shorter;
    shorter = innermost_arguments.replace_in(text, "");
  }
  return text.find('(') < std::min(text.find('='), text.find('{'));
}

bool holds_state(const Statement& statement) {
  static const Pattern lasting{R"(^((inline|constinit) )*(static|thread_local)\b)"};
  const std::string& text = statement.text;
  if (is_constant(text)) return false;
  switch (statement.scope) {
    case Scope::names: return !is_declaration_without_state(text) && !declares_function(text);
    case Scope::type: return lasting.is_in(text) && !declares_function(text);
    case Scope::function: return lasting.is_in(text);
  }
  return false;
}

}  // namespace

Findings short_files(const SourceFile& file) {
  if (!is_source(file) || file.lines.size() <= file_lines_max) return {};
  return {{file.path, static_cast<int>(file_lines_max) + 1,
           "the file has " + std::to_string(file.lines.size()) + " lines"}};
}

Findings narrow_lines(const SourceFile& file) {
  Findings findings;
  // A planted bug has a column more than what it changes.
  if (!is_source(file) || file.path.ends_with(".bug")) return findings;
  for (std::size_t i = 0; i < file.lines.size(); ++i)
    if (const std::size_t columns = columns_of(file.lines[i]); columns > columns_max)
      findings.push_back({file.path, static_cast<int>(i) + 1,
                          "the line has " + std::to_string(columns) + " columns"});
  return findings;
}

Findings short_functions(const SourceFile& file) {
  Findings findings;
  if (!file.is_cpp()) return findings;
  for (const Function& function : outline_of(file.code).functions) {
    const int lines = function.last_line - function.first_line + 1;
    if (lines > function_lines_max)
      findings.push_back(
          {file.path, function.first_line, "the function has " + std::to_string(lines) + " lines"});
  }
  return findings;
}

// A signal handler is given nothing by whom it serves: what it writes to can only be found from
// everywhere.
bool is_of_signal_handler(const SourceFile& file, const Statement& statement) {
  return file.path == "proxy/os/sandbox.cpp" &&
         statement.text.find("RefusalNote") != std::string::npos;
}

Findings no_mutable_globals(const SourceFile& file) {
  Findings findings;
  if (!file.is_cpp() || !file.in("proxy/")) return findings;
  for (const Statement& statement : outline_of(file.code).statements)
    if (holds_state(statement) && !is_of_signal_handler(file, statement))
      findings.push_back(
          {file.path, statement.line, "mutable state of no owner: " + statement.text});
  return findings;
}

}  // namespace penstock::tidy
