#pragma once
// A connection's record as one line of text or JSON. Pure.
//
// The keys and their order are a promise (docs/OPERATIONS.md). A field without a value is left out.

#include <string>

#include "report/options.hpp"
#include "session/record.hpp"

namespace penstock::report {

// What a record's listener is called, and where its connections go.
struct ListenerNames {
  std::string listener;
  std::string upstream;  // empty for a listener that serves files
};

// The line without its newline.
std::string format_record(const session::Record& record, const ListenerNames& names,
                          LogFormat format);

// RFC 3339 in UTC with microseconds: 2026-03-01T12:00:00.000123Z.
std::string format_time(std::int64_t wall_nanoseconds);

}  // namespace penstock::report
