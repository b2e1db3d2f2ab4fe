#pragma once
// What a forwarder gives its sessions: real sockets, and a clock that only the test moves.

#include <memory_resource>
#include <vector>

#include "files/site_cache.hpp"
#include "os/clock.hpp"
#include "session/context.hpp"
#include "session/session_table.hpp"

namespace penstock::testing {

struct World {
  explicit World(const std::vector<const files::Site*>& of_files,
                 std::pmr::memory_resource& memory_of_files = *std::pmr::new_delete_resource())
      : poller{*os::Poller::create()},
        timers{os::now()},
        workspace{relay_options(), *std::pmr::new_delete_resource()},
        counters{1, 1},
        records{16},
        stalls{16},
        recorders{*std::pmr::new_delete_resource()},
        sites{of_files, memory_of_files},
        table{*std::pmr::new_delete_resource(), sites},
        context{.poller = poller,
                .timers = timers,
                .relay = workspace,
                .counters = counters,
                .records = records,
                .stalls = stalls,
                .recorders = recorders,
                .log = log,
                .now = os::now()} {}
  static relay::Options relay_options() {
    relay::Options options;
    options.pipes_max = 1;
    return options;
  }
  // It takes the socket, and a place of the listener.
  session::Arrival arrival_of(int socket) {
    session::Arrival arrival;
    arrival.socket = socket;
    arrival.at = context.now;
    arrival.listener = &listener;
    listener.active.fetch_add(1);
    return arrival;
  }

  os::Poller poller;
  base::TimerWheel timers;
  relay::Workspace workspace;
  session::Counters counters;
  base::SpscRing<session::Record> records;
  base::SpscRing<session::Stall> stalls;
  session::FlightRecorders recorders;
  session::LogSwitches log;
  session::Listener listener;
  files::SiteCaches sites;
  session::SessionTable table;
  session::Context context;
};

}  // namespace penstock::testing
