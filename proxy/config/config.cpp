#include "config/config.hpp"

#include <algorithm>
#include <tuple>

#include "base/limits.hpp"
#include "base/text.hpp"
#include "config/effective.hpp"
#include "config/parts.hpp"
#include "os/process.hpp"

namespace penstock::config {

namespace {

// Of all listeners: a line of text can ask for a thousand.
constexpr std::size_t addresses_max = 65'536;

// All parts in the order in which they need each other.
class ConfigBuilder {
 public:
  explicit ConfigBuilder(ConfigReading& reading) : reading_{reading} {}

  Config build(YamlPointer root) {
    MapReader reader{reading_, {std::move(root), "", ""}};
    read_top_level_parts(reader);
    read_listeners(reader);
    read_upstreams(reader);
    reader.finish();
    check_parts(reading_, listeners_, upstreams_, admin_);
    return take();
  }

 private:
  void read_top_level_parts(MapReader& reader) {
    MapReader defaults{reading_, reader.section("defaults")};
    read_defaults(defaults, defaults_);
    defaults.finish();
    read_relay(reading_, reader.section("relay"), config_);
    read_runtime(reading_, reader.section("runtime"), config_.server.runtime);
    if (const auto place = reader.find("admin")) admin_ = read_admin(reading_, *place);
    read_log(reading_, reader.section("log"), config_.log);
  }

  void read_listeners(MapReader& reader) {
    const auto place = reader.require("listeners");
    if (!place) return;
    const auto items = reading_.items_of(*place);
    if (place->node->kind == YamlNode::Kind::list && items.empty())
      reading_.report(*place, "expected at least one listener");
    std::size_t addresses = 0;
    for (const YamlPlace& item : items) {
      listeners_.push_back(read_listener(reading_, item, defaults_));
      addresses += listeners_.back().binds.size();
      if (addresses > addresses_max)
        return reading_.report(
            item, "more than " + std::to_string(addresses_max) + " addresses in all listeners");
    }
  }

  void read_upstreams(MapReader& reader) {
    const auto place = reader.find("upstreams");
    if (!place) return;
    MapReader named{reading_, *place};
    for (const auto& [name, upstream] : named.all_named())
      upstreams_.push_back(read_upstream(reading_, name, upstream));
  }

  Config take() {
    for (ReadListener& listener : listeners_)
      config_.server.listeners.push_back(std::move(listener.spec));
    for (ReadUpstream& upstream : upstreams_)
      config_.server.upstreams.push_back(std::move(upstream.spec));
    for (const ReadAdmin& one : admin_) config_.admin.push_back(one.admin);
    config_.warnings = std::move(reading_.warnings);
    return std::move(config_);
  }

  ConfigReading& reading_;
  Config config_;
  ConnectionDefaults defaults_;
  std::vector<ReadListener> listeners_;
  std::vector<ReadUpstream> upstreams_;
  std::vector<ReadAdmin> admin_;
};

void sort_by_position(std::vector<Fault>& faults) {
  std::stable_sort(faults.begin(), faults.end(), [](const Fault& one, const Fault& other) {
    return std::tie(one.line, one.column) < std::tie(other.line, other.column);
  });
}

LoadedConfig load_document(const YamlDocument& document, ConfigReading& reading) {
  LoadedConfig loaded;
  loaded.faults = document.faults;
  if (document.root == nullptr) return loaded;
  Config config = ConfigBuilder{reading}.build(document.root);
  loaded.faults.insert(loaded.faults.end(), reading.faults.begin(), reading.faults.end());
  sort_by_position(loaded.faults);
  if (!loaded.faults.empty()) return loaded;
  config.shown = effective_config(*document.root, reading.defaults());
  loaded.config = std::move(config);
  return loaded;
}

LoadedConfig failed_as_a_whole(const std::string& file, std::string sentence) {
  return {.config = std::nullopt,
          .faults = {{.file = file, .path = "-", .sentence = std::move(sentence)}}};
}

}  // namespace

// What concerns the whole file is shown at its beginning, so that every line has the same form.
std::string Fault::to_string() const {
  return base::printable(file) + ':' + std::to_string(std::max(1, line)) + ':' +
         std::to_string(std::max(1, column)) + ": " + path + ": " + sentence;
}

bool Config::operator==(const Config& other) const {
  const auto asked = [](const Config& config) {
    return std::tie(config.server, config.max_pipes, config.pipe_size, config.admin, config.log);
  };
  return asked(*this) == asked(other);
}

std::string faults_text(const std::vector<Fault>& faults) {
  std::string text;
  for (const Fault& fault : faults) text += fault.to_string() + '\n';
  return text;
}

LoadedConfig load_config(const std::string& file, bool resolve_names) {
  // Paths that start at its folder bear its name.
  if (!base::is_plain_text(file))
    return failed_as_a_whole(file, "the name of the file is not UTF-8, or has control characters");
  const os::FileText read = os::read_file_or_pipe(file, base::config_bytes_max);
  if (!read.error.empty()) return failed_as_a_whole(file, read.error);
  return load_config_text(read.text, file, resolve_names);
}

LoadedConfig load_config_text(const std::string& text, const std::string& file,
                              bool resolve_names) {
  if (text.size() > base::config_bytes_max)
    return failed_as_a_whole(file,
                             "is larger than " + std::to_string(base::config_bytes_max) + " bytes");
  ConfigReading reading{file, resolve_names};
  reading.begin_to_note_defaults();
  return load_document(parse_yaml(text, file), reading);
}

std::set<std::string> schema_keys(const std::string& text) {
  ConfigReading reading{"", false};
  static_cast<void>(load_document(parse_yaml(text, ""), reading));
  return reading.keys();
}

}  // namespace penstock::config
