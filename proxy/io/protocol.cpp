#include "io/protocol.hpp"

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "os/address.hpp"

namespace penstock::io {

boost::asio::generic::stream_protocol protocol_of(const os::SocketAddress& address) {
  namespace asio = boost::asio;
  if (address.is_unix()) return asio::local::stream_protocol{};
  const bool is_v6 = address.ip().family == os::IpEndpoint::Family::v6;
  return is_v6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4();
}

}  // namespace penstock::io
