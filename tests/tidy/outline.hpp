#pragma once
// The shape of a C++ file: which statements stand in which scope, and where functions begin and
// end.
//
// A heuristic, not a parser: it follows brackets and looks at what stands before an opening brace.
// It knows the code that .clang-format makes of ours; macros that open a scope are beyond it.

#include <string>
#include <string_view>
#include <vector>

#include "tidy/source_file.hpp"

namespace penstock::tidy {

enum class Scope { names, type, function };  // of a namespace or the file; of a class; of a body

// What ends in ';', or stands before a block inside a function. The insides of parentheses and of
// initializers are dropped: `int x = f(1){2};` reads "int x = f(){}".
struct Statement {
  Scope scope;
  int line;
  std::string text;
};

// From the first line of its signature to its closing brace. Lambdas and local classes belong to
// the function around them.
struct Function {
  int first_line;
  int last_line;
  std::string signature;
};

struct Outline {
  std::vector<Statement> statements;
  std::vector<Function> functions;
};

// REQUIRES: code without comments and literals, see SourceFile::code.
Outline outline_of(const std::vector<std::string>& code);

// What an opening brace after `text` opens.
enum class Opening { names, type, function, value };
Opening opening_after(std::string_view text);

}  // namespace penstock::tidy
