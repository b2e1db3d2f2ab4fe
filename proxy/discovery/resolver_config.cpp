#include "discovery/resolver_config.hpp"

#include <algorithm>
#include <charconv>

#include "os/address.hpp"
#include "os/process.hpp"

namespace penstock::discovery {

namespace {

constexpr std::size_t servers_max = 3;
constexpr std::size_t search_max = 64;
constexpr int ndots_max = 15;
constexpr int timeout_seconds_max = 30;
constexpr int attempts_max = 5;
constexpr base::Duration unstated_timeout = std::chrono::seconds{2};
constexpr std::size_t name_bytes_max = 253;  // RFC 1035 in text, without the last dot
constexpr std::size_t file_bytes_max = 65'536;
constexpr std::string_view blanks = " \t\r";

// Takes the first word off `text`; empty where there is none.
std::string_view next_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(blanks));
  text.remove_prefix(word.size());
  return word;
}

std::string_view next_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

void read_number(std::string_view digits, int smallest, int largest, int& target) {
  int value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc::result_out_of_range) value = largest;
  if (error != std::errc::invalid_argument) target = std::clamp(value, smallest, largest);
}

void add_server(ResolverConfig& config, std::string_view ip) {
  // c-ares 1.18 cannot ask a server that is named with a zone.
  if (config.servers.size() == servers_max || ip.find('%') != std::string_view::npos) return;
  const std::string text{ip};
  for (const std::string& server : {text + ":53", '[' + text + "]:53"}) {
    const auto address = os::parse_socket_address(server);
    if (address.has_value() && !address->is_unix())
      return config.servers.push_back(address->to_string());
  }
}

void read_search(ResolverConfig& config, std::string_view domains) {
  config.search.clear();
  while (config.search.size() < search_max) {
    std::string_view domain = next_word(domains);
    if (domain.empty()) break;
    if (domain.starts_with('.')) domain.remove_prefix(1);
    if (domain.ends_with('.')) domain.remove_suffix(1);
    config.search.emplace_back(domain);
  }
}

void read_line(ResolverConfig& config, std::string_view line) {
  if (line.starts_with('#') || line.starts_with(';')) return;
  const std::string_view key = next_word(line);
  if (key == "nameserver") return add_server(config, next_word(line));
  if (key == "search") return read_search(config, line);
  if (key == "domain") return read_search(config, next_word(line));
  if (key == "options") read_resolver_options(config, line);
}

}  // namespace

base::Duration ResolverConfig::timeout_of(int attempt) const noexcept {
  return timeout.count() > 0 ? timeout : unstated_timeout * (1 << attempt);
}

base::Duration ResolverConfig::longest_question() const noexcept {
  base::Duration all{0};
  for (int attempt = 0; attempt < attempts; ++attempt)
    all += timeout_of(attempt) * static_cast<int>(servers.size());
  return all;
}

void read_resolver_options(ResolverConfig& config, std::string_view words) {
  while (!words.empty()) {
    const std::string_view word = next_word(words);
    const std::size_t colon = std::min(word.find(':'), word.size());
    const std::string_view key = word.substr(0, colon);
    const std::string_view value = word.substr(std::min(colon + 1, word.size()));
    int seconds = 0;
    if (key == "ndots") read_number(value, 0, ndots_max, config.ndots);
    if (key == "timeout") read_number(value, 1, timeout_seconds_max, seconds);
    if (seconds > 0) config.timeout = std::chrono::seconds{seconds};
    if (key == "attempts") read_number(value, 1, attempts_max, config.attempts);
    if (key == "rotate") config.rotate = true;
    if (key == "use-vc") config.over_tcp = true;
  }
}

ResolverConfig parse_resolver_config(std::string_view text, std::string_view domain) {
  ResolverConfig config;
  read_search(config, domain);
  while (!text.empty()) read_line(config, next_line(text));
  if (config.servers.empty()) add_server(config, "127.0.0.1");
  return config;
}

ResolverConfig load_resolver_config() {
  const os::FileText file = os::read_file("/etc/resolv.conf", file_bytes_max);
  const std::string host = os::host_name();
  const auto dot = host.find('.');
  ResolverConfig config = parse_resolver_config(
      file.text, dot == std::string::npos ? std::string{} : host.substr(dot + 1));
  if (const char* domains = os::environment("LOCALDOMAIN")) read_search(config, domains);
  if (const char* words = os::environment("RES_OPTIONS")) read_resolver_options(config, words);
  return config;
}

std::vector<std::string> search_names(const ResolverConfig& config, std::string_view name) {
  if (name.ends_with('.')) return {std::string{name.substr(0, name.size() - 1)}};
  const bool is_whole_first = std::count(name.begin(), name.end(), '.') >= config.ndots;
  std::vector<std::string> names;
  const auto add = [&](std::string candidate) {
    const bool is_new = std::find(names.begin(), names.end(), candidate) == names.end();
    if (is_new && candidate.size() <= name_bytes_max) names.push_back(std::move(candidate));
  };
  if (is_whole_first) add(std::string{name});
  for (const std::string& domain : config.search)
    add(domain.empty() ? std::string{name} : std::string{name} + '.' + domain);
  add(std::string{name});
  return names;
}

}  // namespace penstock::discovery
