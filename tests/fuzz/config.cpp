// The configuration loader: the same text gives the same answer, which is a configuration or
// faults, sorted, each at a place within the text and with a sentence; a configuration in effect is
// read again as the same.

#include "config/config.hpp"

#include <algorithm>
#include <string>

#include "base/limits.hpp"
#include "fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace penstock;
  const std::string text{fuzz::text_of(data, size)};
  const config::LoadedConfig loaded = config::load_config_text(text, "f.yaml", false);
  fuzz::require(loaded.config.has_value() == loaded.faults.empty(), "a configuration or faults");
  // yaml-cpp counts CR alone as an end of line, too.
  const auto is_end = [](char c) { return c == '\n' || c == '\r'; };
  const auto lines = static_cast<int>(std::count_if(text.begin(), text.end(), is_end)) + 1;
  for (const config::Fault& fault : loaded.faults) {
    fuzz::require(!fault.sentence.empty() && !fault.path.empty(), "a fault has words and a place");
    const bool whole_file = fault.line == 0;
    fuzz::require(whole_file || (fault.line >= 1 && fault.column >= 1), "places begin at 1");
    fuzz::require(fault.line <= lines + 1, "a fault lies within the text");
  }
  const config::LoadedConfig again = config::load_config_text(text, "f.yaml", false);
  fuzz::require(again.faults == loaded.faults, "the same text, the same faults");
  if (!loaded.config) return 0;
  const std::string& shown = loaded.config->shown.yaml;
  const config::LoadedConfig read_again = config::load_config_text(shown, "f.yaml", false);
  // With its defaults a large file may be larger than a file may be; each value has a byte or more.
  const bool fits = shown.size() <= static_cast<std::size_t>(base::config_nodes_max);
  fuzz::require(!fits || (read_again.config && read_again.config->shown.yaml == shown),
                "what is in effect is read again as the same");
  return 0;
}
