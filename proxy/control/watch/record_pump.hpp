#pragma once
// Carries records from the forwarders' rings to the access log, and says when they found something
// of the upstreams that control has to take in.
//
// Owner    Lifecycle. Thread: control. Takes at most one batch at a time, so that the admin server
//          has its turn in between. While connections come and go it looks every 20 ms instead of
//          being woken for each; after a rest it sleeps until the next record rings.

#include "control/upstreams/manager.hpp"
#include "io/alarm.hpp"
#include "io/work.hpp"
#include "report/access_log/log.hpp"
#include "runtime/server.hpp"

namespace penstock::control {

class RecordPump {
 public:
  RecordPump(boost::asio::io_context& io, runtime::Server& server, report::AccessLog& log,
             UpstreamControl& upstreams);
  RecordPump(const RecordPump&) = delete;
  RecordPump& operator=(const RecordPump&) = delete;

  void start();
  // Everything that is left, at the end.
  void take_all();

 private:
  void sleep();
  void pump();
  void look_again_later();
  std::size_t take_batch();

  boost::asio::io_context& io_;
  runtime::Server& server_;
  report::AccessLog& log_;
  UpstreamControl& upstreams_;
  io::ReadableWatch bell_;  // of the server
  io::Alarm timer_;
};

}  // namespace penstock::control
