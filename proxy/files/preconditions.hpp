#pragma once
// Whether a client has the file already, or has another one in mind: entity tags, dates, and the
// conditions that a request may bear. Pure.
//
// Source   RFC 9110, 8.8 (validators), 13 (conditions), 5.6.7 (dates).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::os {
struct FileStatus;
}
namespace penstock::wire {
struct HttpRequest;
}

namespace penstock::files {

// What tells one content of a file from another.
struct Validators {
  std::string etag;                   // strong, with its quotes
  std::int64_t modified_seconds = 0;  // see modified_since_1970()
};

// From inode, size and both times: two contents share a tag only if a file is written twice, to the
// same size, within one tick of the kernel's clock (1 to 10 ms), for the time of change is the
// kernel's own. `suffix` tells apart the forms in which a file is sent.
std::string entity_tag(const os::FileStatus& status, std::string_view suffix = {});

// The date that is given out, in seconds since 1970: the latest one of the file's own, of its
// change, which builds and copies cannot set, and of `served_since`; but at least a second before
// `now`, so that a date never names a second in which the file may still change.
std::int64_t modified_since_1970(const os::FileStatus& status, std::int64_t served_since,
                                 std::int64_t now) noexcept;

// All three forms of a date that HTTP knows; seconds since 1970.
std::optional<std::int64_t> parse_http_date(std::string_view text);

enum class Condition : std::uint8_t {
  holds,         // answer as if there were none
  not_modified,  // 304
  fails,         // 412
};
// In the order of RFC 9110, 13.2.2, for GET and HEAD. A date that cannot be read counts for
// nothing; If-Modified-Since holds unless it is the very date that was given out
// (docs/decisions/0008-dates-of-files.md).
Condition condition_of(const wire::HttpRequest& request, const Validators& validators);

// Whether the Range of the request is to be looked at: no If-Range, or one that names this content.
bool range_applies(const wire::HttpRequest& request, const Validators& validators);

}  // namespace penstock::files
