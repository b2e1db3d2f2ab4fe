#include "admin/token_file.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "os/process.hpp"

namespace penstock::admin {

namespace {

constexpr std::size_t token_bytes_min = 16;
constexpr std::size_t token_bytes_max = 4096;

Token token_in(const std::string& file, const os::FileText& read) {
  if (!read.error.empty()) return {.text = {}, .error = fmt::format("{} {}", file, read.error)};
  constexpr std::string_view white = " \t\r\n";
  const auto begin = read.text.find_first_not_of(white);
  const auto end = read.text.find_last_not_of(white) + 1;
  std::string token = begin == std::string::npos ? "" : read.text.substr(begin, end - begin);
  const bool is_visible = std::all_of(token.begin(), token.end(),
                                      [](char byte) { return byte > ' ' && byte < '\x7f'; });
  if (token.size() < token_bytes_min || !is_visible)
    return {.text = {},
            .error = fmt::format("{} holds no token: one line of at least {} letters, digits and "
                                 "signs",
                                 file, token_bytes_min)};
  return {.text = std::move(token), .error = {}};
}

}  // namespace

Token read_token(const std::string& file) {
  return token_in(file, os::read_file(file, token_bytes_max));
}

Token read_private_token(const std::string& file) {
  const os::FileText read = os::read_file(file, token_bytes_max);
  if (read.error.empty() && !read.is_private)
    return {.text = {}, .error = fmt::format("{} can be read by others: chmod 600 it", file)};
  return token_in(file, read);
}

}  // namespace penstock::admin
