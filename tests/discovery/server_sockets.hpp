#pragma once
// The two sockets of a name server: the same port by UDP and by TCP.
//
// Owner    who asks for them. Thread: any.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <cstdint>
#include <random>
#include <string>

namespace penstock::discovery {

namespace asio = boost::asio;

struct ServerSockets {
  asio::ip::udp::socket udp;
  asio::ip::tcp::acceptor tcp;  // listens
};

// With port 0 one that neither uses: what the kernel gives for one of them may be taken for the
// other. It lies below those that the kernel gives to clients: else who tries to connect until
// somebody listens may meet itself. Errors: boost::system::system_error where a port was named.
inline ServerSockets server_sockets(asio::io_context& io, const std::string& ip,
                                    std::uint16_t port = 0) {
  const auto host = asio::ip::make_address(ip);
  const auto both = [&](std::uint16_t number) {
    return ServerSockets{{io, {host, number}}, {io, {host, number}}};
  };
  if (port != 0) return both(port);
  std::random_device chance;
  std::uniform_int_distribution<unsigned> ports{10'000, 30'000};
  for (;;) {
    try {
      return both(static_cast<std::uint16_t>(ports(chance)));
    } catch (const boost::system::system_error& taken) {
      if (taken.code() != asio::error::address_in_use) throw;
    }
  }
}

}  // namespace penstock::discovery
