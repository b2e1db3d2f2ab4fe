#pragma once
// An entry of `endpoints` in words. Pure.

#include <string>

#include "upstream/spec.hpp"

namespace penstock::upstream {

// "10.0.0.1:80" or the endpoint's name, "dns app.example:80, type a", "file endpoints.yaml".
std::string source_text(const EndpointSource& source);

}  // namespace penstock::upstream
