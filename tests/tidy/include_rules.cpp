#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "tidy/pattern.hpp"
#include "tidy/rules.hpp"

namespace penstock::tidy {

namespace {

struct Floor {
  std::string_view name;
  int height;  // floors of the same height are neighbours and do not know each other
};
constexpr std::array<Floor, 9> floors{{{"base", 0},
                                       {"os", 1},
                                       {"wire", 1},
                                       {"relay", 2},
                                       {"upstream", 2},
                                       {"files", 2},
                                       {"session", 3},
                                       {"runtime", 4},
                                       {"control", 5}}};
constexpr int roof = 6;  // main.cpp

// The client of the admin: beside itself it knows base/ and os/, and so nothing of the server.
constexpr std::array<std::string_view, 6> client{"control/budget_text.hpp", "control/ctl",
                                                 "control/exit_codes.hpp",  "control/numa_text.hpp",
                                                 "control/table.hpp",       "control/token_file"};
constexpr std::array<std::string_view, 2> floors_of_client{"base", "os"};

// The headers of a library, and the files that may include them.
struct Library {
  std::string_view headers;
  std::array<std::string_view, 6> doors;  // not all need be there
};
constexpr std::string_view everywhere = "proxy/";
constexpr std::string_view nowhere = "-";
constexpr std::array<Library, 17> libraries{{
    {"numa", {"proxy/os/numa"}},
    {"liburing", {"proxy/os/ring"}},
    {"seccomp.h", {"proxy/os/sandbox"}},
    {"ares", {"proxy/upstream/discovery"}},
    {"yaml-cpp/", {"proxy/control/config"}},
    {"boost/beast", {"proxy/control/admin", "proxy/control/ctl"}},
    {"boost/asio",
     {"proxy/runtime/acceptor", "proxy/control/", "proxy/upstream/alarm",
      "proxy/upstream/as_result", "proxy/upstream/health", "proxy/upstream/discovery"}},
    {"openssl/", {"proxy/upstream/health"}},
    {"boost/json", {"proxy/control/"}},
    {"boost/url", {"proxy/control/"}},
    {"boost/interprocess", {"proxy/runtime/node_arena"}},
    {"boost/", {everywhere}},
    {"spdlog/", {"proxy/base/log"}},
    {"fmt/",
     {"proxy/base/log", "proxy/base/format.cpp", "proxy/control/", "proxy/upstream/discovery",
      "proxy/runtime/placement", "proxy/files/answer"}},
    {"CLI/", {"proxy/control/command_line"}},
    {"catch2/", {nowhere}},
}};

// Libraries that are slow to parse, and the headers that need them all the same.
constexpr std::array<std::string_view, 3> heavy_headers{"boost/asio", "boost/beast", "boost/json"};
constexpr std::string_view only_names = "boost/json/fwd.hpp";  // declares, and weighs nothing
constexpr std::array<std::string_view, 5> heavy_doors{
    "proxy/control/admin_connection.hpp", "proxy/upstream/as_result.hpp",
    "proxy/upstream/health_check.hpp", "proxy/upstream/health_link",
    "proxy/upstream/health_tls.hpp"};

std::optional<int> height_of(std::string_view path) {
  if (path == "main.cpp") return roof;
  for (const Floor& floor : floors)
    if (path.starts_with(floor.name) && path.substr(floor.name.size()).starts_with('/'))
      return floor.height;
  return std::nullopt;
}

std::string_view folder_of(std::string_view path) {
  return path.substr(0, path.find('/'));
}

bool is_of_client(std::string_view path) {
  return std::any_of(client.begin(), client.end(),
                     [&](std::string_view part) { return path.starts_with(part); });
}

bool may_be_known_by_client(std::string_view path) {
  return is_of_client(path) || std::find(floors_of_client.begin(), floors_of_client.end(),
                                         folder_of(path)) != floors_of_client.end();
}

struct Include {
  int line;
  char quote;  // '"' or '<'
  std::string target;
};

std::vector<Include> includes_of(const SourceFile& file) {
  static const Pattern pattern{R"re(^\s*#\s*include\s*(["<])([^">]+)[">])re"};
  std::vector<Include> includes;
  for (std::size_t i = 0; i < file.code.size(); ++i) {
    if (file.code[i].find("include") == std::string::npos) continue;
    const auto match = pattern.find_in(file.lines[i]);
    if (!match.empty()) includes.push_back({static_cast<int>(i) + 1, match[1][0], match[2]});
  }
  return includes;
}

// POSIX, Linux and C headers; the C++ library's names have neither a dot nor a slash.
bool is_system_header(std::string_view target) {
  static constexpr std::array<std::string_view, 9> folders{
      "sys/", "netinet/", "arpa/", "net/", "linux/", "asm/", "asm-generic/", "bits/", "rpc/"};
  const bool in_folder = std::any_of(folders.begin(), folders.end(), [&](std::string_view name) {
    return target.starts_with(name);
  });
  const bool plain = target.find('/') == target.npos && target.ends_with(".h");
  return in_folder ||
         (plain && !target.starts_with("numa") && target != "ares.h" && target != "seccomp.h");
}

bool is_standard_header(std::string_view target) {
  return target.find_first_of("./") == target.npos;
}

}  // namespace

Findings includes_only_lower_floors(const SourceFile& file) {
  Findings findings;
  if (!file.is_cpp() || !file.in("proxy/")) return findings;
  const std::string_view here = std::string_view{file.path}.substr(6);
  const auto height = height_of(here);
  if (!height) return {{file.path, 1, "lies on no floor of the house"}};
  for (const Include& include : includes_of(file)) {
    if (include.quote != '"') continue;
    const auto target = height_of(include.target);
    if (!target)
      findings.push_back({file.path, include.line, "\"" + include.target + "\" names no floor"});
    else if (*target >= *height && folder_of(include.target) != folder_of(here))
      findings.push_back({file.path, include.line, "\"" + include.target + "\" is no lower floor"});
    else if (is_of_client(here) && !may_be_known_by_client(include.target))
      findings.push_back({file.path, include.line, "\"" + include.target + "\" is the server's"});
  }
  return findings;
}

Findings libraries_behind_their_doors(const SourceFile& file) {
  Findings findings;
  if (!file.is_cpp() || !file.in("proxy/")) return findings;
  for (const Include& include : includes_of(file)) {
    const std::string& target = include.target;
    if (include.quote != '<' || is_standard_header(target) || is_system_header(target)) continue;
    const auto library = std::find_if(libraries.begin(), libraries.end(), [&](const Library& l) {
      return target.starts_with(l.headers);
    });
    const bool open = library != libraries.end() &&
                      std::any_of(library->doors.begin(), library->doors.end(),
                                  [&](auto door) { return !door.empty() && file.in(door); });
    if (!open) findings.push_back({file.path, include.line, "<" + target + "> has no door here"});
  }
  return findings;
}

Findings heavy_libraries_only_in_sources(const SourceFile& file) {
  Findings findings;
  if (!file.is_header() || !file.in("proxy/")) return findings;
  if (std::any_of(heavy_doors.begin(), heavy_doors.end(), [&](auto door) { return file.in(door); }))
    return findings;
  for (const Include& include : includes_of(file)) {
    const bool is_heavy =
        std::any_of(heavy_headers.begin(), heavy_headers.end(),
                    [&](auto headers) { return include.target.starts_with(headers); });
    if (is_heavy && include.target != only_names)
      findings.push_back({file.path, include.line, "<" + include.target + "> belongs in a .cpp"});
  }
  return findings;
}

Findings system_headers_only_in_os(const SourceFile& file) {
  Findings findings;
  if (!file.is_cpp() || !file.in("proxy/") || file.in("proxy/os/")) return findings;
  for (const Include& include : includes_of(file))
    if (include.quote == '<' && is_system_header(include.target))
      findings.push_back({file.path, include.line, "<" + include.target + "> belongs to os/"});
  return findings;
}

}  // namespace penstock::tidy
