#pragma once
// Which form of a file a client takes: the Accept-Encoding field. Pure.
//
// Source   RFC 9110, 12.5.3.

#include <string_view>

#include "files/open_file.hpp"

namespace penstock::files {

// How much the client wants a coding, in thousandths; 0: not at all.
int quality_of(std::string_view accept_encoding, std::string_view coding);

// The form that the client wants most and that is there; of equals zstd before gzip before the
// plain file. The plain file where nothing else will do, even if the client refuses it: that is
// more use than an error.
const FileHandle& form_for(const Found& found, std::string_view accept_encoding);

}  // namespace penstock::files
