#pragma once
// The system calls that code makes once it runs, by what it does: the parts of the allow-lists.
// Each kind of thread puts its own together: runtime/thread_lock, control/confinement.
//
// Kept true by tests/sandbox, which records what the threads of a whole end-to-end run call: what
// is refused there fails a test, and so does what is allowed here and neither called nor named
// there with its reason.

#include "os/sandbox.hpp"

namespace penstock::os::calls {

CallRules thread();             // locks, memory, time, its own end; the last words of os/crash
CallRules poller();             // os/poller
CallRules loop();               // that of Asio
CallRules ring();               // os/ring, once it is set up
CallRules relay();              // bytes between sockets and pipes
CallRules connect();            // stream sockets to TCP and unix addresses, and no others
CallRules accept();             // os/listen, once it listens
CallRules send_files();         // os/file
CallRules wake_loop();          // of another thread: how Asio ends its wait
CallRules read_file();          // opens for reading only, and asks for the state of a file
CallRules read_files();         // opens for reading only: /proc, /sys, endpoint files, certificates
CallRules append_files();       // opens for writing: a log; which one, Landlock says
CallRules number_interfaces();  // os::interface_number()
CallRules resolve_names();      // datagrams to name servers
CallRules control();            // admin connections, where pages are, what the process used
CallRules write_lines();        // the threads of the logs

}  // namespace penstock::os::calls
