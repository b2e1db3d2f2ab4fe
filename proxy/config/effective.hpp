#pragma once
// The configuration as it is in effect: what the file says and every default beside it, for GET
// /config.
//
// A value from ${NAME} stands there as it is written, and a password, a token or a key as ***:
// nothing that was replaced is shown. What a listener leaves out stands in `defaults`; what is off
// is absent. But for *** the reader takes the YAML and understands the same. Pure.

#include "config/yaml/reader.hpp"

namespace penstock::config {

// Of a tree without a fault, and the defaults that were noted while it was read.
EffectiveConfig effective_config(const YamlNode& root, const DefaultsByMap& defaults);

}  // namespace penstock::config
