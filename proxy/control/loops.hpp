#pragma once
// Endpoints that are listeners of this process: a connection to one would come back for ever.
//
// A configuration that states such an endpoint is refused; one that discovery finds is asked about
// here. Thread: any; pure.

#include "runtime/options.hpp"

namespace penstock::control {

// The listener at which a connection to `endpoint` would arrive again; nullptr where there is none.
// A listener with files ends what arrives, and is no loop. Behind a wildcard bind only loopback
// addresses are recognised as our own.
const runtime::ListenerSpec* looping_listener(const std::vector<runtime::ListenerSpec>& listeners,
                                              const os::SocketAddress& endpoint);

}  // namespace penstock::control
