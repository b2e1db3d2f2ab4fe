#pragma once
// The family of an address in Asio's terms, for sockets that were made elsewhere and go to it.
//
// Thread   any: a pure function of the address. Errors: none.

namespace boost::asio::generic {
class stream_protocol;
}
namespace penstock::os {
class SocketAddress;
}

namespace penstock::io {

boost::asio::generic::stream_protocol protocol_of(const os::SocketAddress& address);

}  // namespace penstock::io
