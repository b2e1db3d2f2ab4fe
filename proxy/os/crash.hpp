#pragma once
// The last words: one line on stderr when penstock dies of its own fault, before the kernel does
// what it does by default (end by that signal, and a core where limits allow one).
//
//   penstock 0.1.0: SIGSEGV at address 0x10 in thread forwarder-0 (process 7, thread 9): ...
//
// For  SIGSEGV, SIGBUS, SIGILL, SIGFPE (a fault, or sent by somebody) and SIGABRT (an assertion or
//      terminate(), which have spoken before, or sent).
// Not  where somebody has a handler for the signal already, as sanitizers do; and not where a stack
//      other than the main thread's is used up: there is nothing left to run on.
// As process 1 of a namespace, whom such signals do not end when they are sent, the process exits
// with 128 and the number of the signal.

namespace penstock::os {

// Call before the first thread starts. Errors: none that matter; the line would be missing.
void report_crashes() noexcept;

}  // namespace penstock::os
