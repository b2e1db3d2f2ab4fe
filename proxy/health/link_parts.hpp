#pragma once
// What a HealthLink is made of: for itself, and for who puts TLS on its socket.
//
// Owner    the HealthLink. Thread: that of the io_context.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include "health/link.hpp"

namespace penstock::health {

struct HealthLink::Parts {
  using Socket = boost::asio::generic::stream_protocol::socket;

  explicit Parts(const boost::asio::any_io_executor& executor)
      : socket{executor}, timer{executor} {}
  Socket socket;
  boost::asio::steady_timer timer;
};

}  // namespace penstock::health
