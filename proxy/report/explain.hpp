#pragma once
// The answer to `explain` in JSON: which rule, upstream and endpoints a connection would meet, and
// why others are left out.
//
// Thread   control, or the command itself: from a file nothing runs, and states are those of a
//          fresh start.

#include <string>
#include <vector>

#include "base/page_pieces.hpp"
#include "base/result.hpp"

namespace penstock::session {
struct ListenerOptions;
}
namespace penstock::upstream {
class Registry;
}

namespace penstock::report {

// The sentence about what is wrong with the question, or the answer, of which nothing is worked out
// before its first piece is written.
//
// `listener` is one of `listeners`, which are those of the configuration, in its order. `source` is
// IP or IP:PORT; empty: any client. The pieces point at the registry.
base::SentenceOr<base::PagePieces> explain_json(
    const std::string& listener, const std::string& source,
    const std::vector<const session::ListenerOptions*>& listeners,
    const upstream::Registry& registry);

}  // namespace penstock::report
