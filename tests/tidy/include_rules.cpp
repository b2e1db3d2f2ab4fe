#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "tidy/includes.hpp"
#include "tidy/rules.hpp"

namespace penstock::tidy {

namespace {

struct Room {
  std::string_view name;
  int height;  // rooms of the same height are neighbours and do not know each other
};
constexpr std::array<Room, 19> rooms{{{"base", 0},
                                      {"logging", 1},
                                      {"os", 1},
                                      {"wire", 1},
                                      {"io", 2},
                                      {"relay", 2},
                                      {"upstream", 2},
                                      {"files", 2},
                                      {"session", 3},
                                      {"health", 3},
                                      {"discovery", 3},
                                      {"runtime", 4},
                                      {"budget", 5},
                                      {"report", 5},
                                      {"admin", 5},
                                      {"config", 5},
                                      {"change", 6},
                                      {"control", 7},
                                      {"cli", 8}}};
constexpr int roof = 9;  // main.cpp

// Rooms that serve one other, beside themselves: who else needs what they do asks that one.
struct Servant {
  std::string_view room;
  std::string_view master;
};
constexpr std::array<Servant, 2> servants{{{"health", "control"}, {"discovery", "control"}}};

// From text to values: `config` knows what is to be filled in, also of its neighbours, and no more.
constexpr std::array<std::string_view, 3> known_to_config{"base/", "os/", "upstream/hash.hpp"};
constexpr std::array<std::string_view, 2> filled_by_config{"/options.hpp", "/spec.hpp"};

// The client of the admin: beside itself it knows base/ and os/, and so nothing of the server.
constexpr std::array<std::string_view, 5> client{
    "cli/ctl/", "admin/token_file", "report/budget_text", "report/numa/text", "report/table"};
constexpr std::array<std::string_view, 2> known_to_client{"base/", "os/"};

// The headers of a library, and the folders, or single files, that may include them.
struct Library {
  std::string_view headers;
  std::array<std::string_view, 12> doors;  // not all need be there
};
constexpr std::string_view everywhere = "proxy/";
constexpr std::string_view nowhere = "-";
constexpr std::array<Library, 17> libraries{{
    {"numa", {"proxy/os/numa"}},
    {"liburing", {"proxy/os/ring"}},
    {"seccomp.h", {"proxy/os/sandbox"}},
    {"ares", {"proxy/discovery/"}},
    {"yaml-cpp/", {"proxy/config/yaml/"}},
    {"boost/beast", {"proxy/admin/", "proxy/cli/ctl/"}},
    {"boost/asio",
     {"proxy/io/", "proxy/health/", "proxy/discovery/", "proxy/runtime/acceptor", "proxy/admin/",
      "proxy/cli/ctl/"}},
    {"openssl/", {"proxy/health/"}},
    {"boost/json",
     {"proxy/budget/", "proxy/report/", "proxy/admin/", "proxy/config/", "proxy/control/",
      "proxy/cli/"}},
    {"boost/url", {"proxy/admin/", "proxy/cli/ctl/"}},
    {"boost/interprocess", {"proxy/runtime/node_arena"}},
    {"boost/", {everywhere}},
    {"spdlog/", {"proxy/logging/"}},
    {"fmt/",
     {"proxy/logging/", "proxy/base/format.cpp", "proxy/io/", "proxy/files/answer",
      "proxy/discovery/", "proxy/runtime/placement", "proxy/budget/", "proxy/report/",
      "proxy/admin/", "proxy/config/", "proxy/control/", "proxy/cli/"}},
    {"CLI/", {"proxy/cli/"}},
    {"catch2/", {nowhere}},
}};

// Libraries that are slow to parse, and the headers that need them all the same.
constexpr std::array<std::string_view, 3> heavy_headers{"boost/asio", "boost/beast", "boost/json"};
constexpr std::string_view only_names = "boost/json/fwd.hpp";  // declares, and weighs nothing
constexpr std::array<std::string_view, 5> heavy_doors{
    "proxy/io/as_result.hpp", "proxy/health/check.hpp", "proxy/health/link", "proxy/health/tls.hpp",
    "proxy/admin/connection.hpp"};

std::string_view folder_of(std::string_view path) {
  return path.substr(0, path.find('/'));
}

std::optional<int> height_of(std::string_view path) {
  if (path == "main.cpp") return roof;
  for (const Room& room : rooms)
    if (path.find('/') != path.npos && folder_of(path) == room.name) return room.height;
  return std::nullopt;
}

template <std::size_t N>
bool begins_with_one_of(std::string_view path, const std::array<std::string_view, N>& parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](std::string_view part) { return path.starts_with(part); });
}

bool is_filled_by_config(std::string_view path) {
  return std::any_of(filled_by_config.begin(), filled_by_config.end(),
                     [&](std::string_view part) { return path.ends_with(part); });
}

bool is_of_another_master(std::string_view target, std::string_view room) {
  return std::any_of(servants.begin(), servants.end(), [&](const Servant& servant) {
    return folder_of(target) == servant.room && room != servant.room && room != servant.master;
  });
}

// Why a file must not include a header of the house; empty where it may.
std::string_view fault_of(std::string_view here, int height, std::string_view target) {
  const auto target_height = height_of(target);
  if (!target_height) return "names no room";
  if (begins_with_one_of(here, client) && !begins_with_one_of(target, client) &&
      !begins_with_one_of(target, known_to_client))
    return "is the server's";
  const std::string_view room = folder_of(here);
  if (folder_of(target) == room) return {};
  if (room == "config") {
    const bool is_known =
        is_filled_by_config(target) || begins_with_one_of(target, known_to_config);
    if (!is_known) return "is not for the configuration to know";
    return *target_height > height ? "is no lower floor" : "";
  }
  if (*target_height >= height) return "is no lower floor";
  return is_of_another_master(target, room) ? "is for control/ alone" : "";
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
  if (!height) return {{file.path, 1, "lies in no room of the house"}};
  for (const Include& include : includes_of(file)) {
    if (include.quote != '"') continue;
    const std::string_view fault = fault_of(here, *height, include.target);
    if (!fault.empty())
      findings.push_back(
          {file.path, include.line, '"' + include.target + "\" " + std::string{fault}});
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
