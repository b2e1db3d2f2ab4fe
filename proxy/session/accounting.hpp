#pragma once
// Opening and closing the books on a connection: counters, records, the listener's places.
//
// Owner    none: functions over what the forwarder owns. Thread: its own.

#include "session/context.hpp"
#include "session/listener.hpp"

namespace penstock::session {

// Counts an arrival and, where the log wants it, sends its open record.
void opened(const Arrival& arrival, Context& context) noexcept;

// Fills in what is common to every close record (the caller has filled in the rest), counts the
// end, gives the listener's place back and, where the log wants it, sends the record.
void closed(const Arrival& arrival, CloseReason reason, Record& record, Context& context) noexcept;

// Adds what TCP_INFO says of a socket (side 0 client, 1 upstream) to the record and the samples,
// for a connection that the log wants, and for every sixteenth; its name and its send queue, which
// only the log tells, where the log wants it. A socket that is closed already adds nothing.
void note_kernel_figures(Record& record, const Arrival& arrival, unsigned side, int socket,
                         Context& context) noexcept;

}  // namespace penstock::session
