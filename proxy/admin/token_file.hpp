#pragma once
// The token that an admin address asks for, from its file.
//
// Thread   any, at the start of a program: it reads the disk.

#include <string>

namespace penstock::admin {

// The text without the white space around it; at least 16 bytes, at most 4096. Errors: the
// sentence.
struct Token {
  std::string text;
  std::string error;  // empty on success
};
Token read_token(const std::string& file);
// As above; a file that others may read is refused.
Token read_private_token(const std::string& file);

}  // namespace penstock::admin
