#include "control/upstreams/endpoint_file_reader.hpp"

#include <utility>

#include "base/limits.hpp"
#include "os/process.hpp"

namespace penstock::control {

// The state is taken before the text: what changes in between is another state at the next look.
EndpointFileLook look_at_endpoint_file(const std::string& path, const EndpointFileKnown& known) {
  EndpointFileLook look{.state = os::state_of(path)};
  if (known.may_skip_reading && look.state == known.state) return look;
  os::FileText read = os::read_file(path, base::config_bytes_max);
  if (!read.error.empty()) {
    look.file = config::failed_endpoint_file(path, std::move(read.error));
  } else {
    if (known.text && read.text == *known.text) return look;
    read.text.shrink_to_fit();
    look.text = std::make_shared<const std::string>(std::move(read.text));
    look.file = config::parse_endpoint_file(*look.text, path);
  }
  look.is_news = true;
  return look;
}

void EndpointFileReader::look(std::string path, EndpointFileKnown known, Answer answer) {
  const auto look = std::make_shared<EndpointFileLook>();
  worker_.run([look, path = std::move(path),
               known = std::move(known)] { *look = look_at_endpoint_file(path, known); },
              [look, answer = std::move(answer)] { answer(std::move(*look)); });
}

}  // namespace penstock::control
