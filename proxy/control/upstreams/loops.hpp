#pragma once
// Endpoints that are listeners of this process: a connection to one would come back for ever.
//
// A configuration that states such an endpoint is refused; one that discovery finds is looked up in
// what is built here. Thread: any; pure.

#include "config/sockets.hpp"
#include "runtime/options.hpp"

namespace penstock::control {

// The listeners at which a connection would arrive again, each owned by its name: an endpoint that
// reached_by() finds is a loop. A listener with files ends what arrives, and is none. Behind a
// wildcard bind only loopback addresses are recognised as our own.
config::OwnSockets looping_sockets(const std::vector<runtime::ListenerSpec>& listeners);

}  // namespace penstock::control
