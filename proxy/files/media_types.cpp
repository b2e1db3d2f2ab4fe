#include "files/media_types.hpp"

#include <algorithm>
#include <array>

#include "wire/ascii.hpp"

namespace penstock::files {

namespace {

struct MediaType {
  std::string_view extension;
  std::string_view type;
};

constexpr std::array media_types{
    MediaType{"avif", "image/avif"},
    MediaType{"css", "text/css; charset=utf-8"},
    MediaType{"csv", "text/csv; charset=utf-8"},
    MediaType{"gif", "image/gif"},
    MediaType{"gz", "application/gzip"},
    MediaType{"htm", "text/html; charset=utf-8"},
    MediaType{"html", "text/html; charset=utf-8"},
    MediaType{"ico", "image/vnd.microsoft.icon"},
    MediaType{"jpeg", "image/jpeg"},
    MediaType{"jpg", "image/jpeg"},
    MediaType{"js", "text/javascript; charset=utf-8"},
    MediaType{"json", "application/json"},
    MediaType{"md", "text/markdown; charset=utf-8"},
    MediaType{"mjs", "text/javascript; charset=utf-8"},
    MediaType{"mp3", "audio/mpeg"},
    MediaType{"mp4", "video/mp4"},
    MediaType{"pdf", "application/pdf"},
    MediaType{"png", "image/png"},
    MediaType{"svg", "image/svg+xml"},
    MediaType{"tar", "application/x-tar"},
    MediaType{"ttf", "font/ttf"},
    MediaType{"txt", "text/plain; charset=utf-8"},
    MediaType{"wasm", "application/wasm"},
    MediaType{"webm", "video/webm"},
    MediaType{"webp", "image/webp"},
    MediaType{"woff", "font/woff"},
    MediaType{"woff2", "font/woff2"},
    MediaType{"xml", "text/xml; charset=utf-8"},
    MediaType{"yaml", "application/yaml"},
    MediaType{"yml", "application/yaml"},
    MediaType{"zip", "application/zip"},
};

constexpr std::string_view unknown_type = "application/octet-stream";
constexpr std::string_view charset = "; charset=utf-8";
constexpr std::size_t extension_bytes_max = 32;

std::string_view take_word(std::string_view& line) noexcept {
  constexpr std::string_view blanks = " \t\r";
  line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
  const std::string_view word = line.substr(0, std::min(line.find_first_of(blanks), line.size()));
  line.remove_prefix(word.size());
  return word;
}

std::string_view extension_of(std::string_view path) noexcept {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return {};
  return name.substr(dot + 1);
}

}  // namespace

MediaTypes::MediaTypes(std::string_view table) {
  while (!table.empty()) {
    const std::size_t end = std::min(table.find('\n'), table.size());
    std::string_view line = table.substr(0, end);
    table.remove_prefix(std::min(end + 1, table.size()));
    line = line.substr(0, line.find('#'));
    std::string type{take_word(line)};
    if (type.find('/') == std::string::npos) continue;
    if (type.starts_with("text/")) type += charset;
    for (auto word = take_word(line); !word.empty(); word = take_word(line)) {
      std::string extension{word};
      std::transform(extension.begin(), extension.end(), extension.begin(), wire::to_lower);
      by_extension_.try_emplace(std::move(extension), type);
    }
  }
}

std::string_view MediaTypes::of(std::string_view path) const noexcept {
  const std::string_view extension = extension_of(path);
  if (extension.empty() || extension.size() > extension_bytes_max) return unknown_type;
  std::string lower(extension.size(), '\0');
  std::transform(extension.begin(), extension.end(), lower.begin(), wire::to_lower);
  if (const auto known = by_extension_.find(lower); known != by_extension_.end())
    return known->second;
  const auto own = std::find_if(media_types.begin(), media_types.end(),
                                [&](const MediaType& entry) { return entry.extension == lower; });
  return own == media_types.end() ? unknown_type : own->type;
}

}  // namespace penstock::files
