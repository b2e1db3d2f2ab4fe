// A file of endpoints: endpoints or faults, each with words and a place; what it costs grows with
// its size.

#include "config/endpoint_file.hpp"

#include <string>

#include "fuzz/linear_cost.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace penstock;
  const std::string text{fuzz::text_of(data, size)};
  const config::EndpointFile file = config::parse_endpoint_file(text, "e.yaml");
  fuzz::require(file.faults.empty() || file.endpoints.empty(), "endpoints or faults");
  for (const config::Fault& fault : file.faults)
    fuzz::require(!fault.sentence.empty() && !fault.path.empty(), "a fault has words and a place");
  for (const upstream::EndpointSpec& endpoint : file.endpoints)
    fuzz::require(!endpoint.identity.empty(), "an endpoint has a name");
  fuzz::require_linear(text, [](const std::string& large) {
    static_cast<void>(config::parse_endpoint_file(large, "e.yaml"));
  });
  return 0;
}
