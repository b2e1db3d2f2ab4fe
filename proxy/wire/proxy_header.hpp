#pragma once
// Writing the header of the PROXY protocol, which tells an endpoint whom a connection is for.
// Source: doc/proxy-protocol.txt of HAProxy, section 2.2 (version 2).
//
// Pure. So far the command LOCAL, which a proxy sends for connections of its own, like health
// checks: the endpoint takes the connection as it is and uses its real addresses.

#include <cstddef>
#include <cstdint>
#include <string>

namespace penstock::wire {

inline constexpr std::size_t proxy_v2_head_bytes = 16;  // in front of addresses and TLVs

enum class ProxyCommand : std::uint8_t { local = 0x0, proxy = 0x1 };

// Address family in the high four bits, transport in the low ones.
enum class ProxyFamily : std::uint8_t {
  unspecified = 0x00,
  tcp_v4 = 0x11,
  tcp_v6 = 0x21,
  unix_stream = 0x31,
};

// The head of a version 2 header, `rest_bytes` of addresses and TLVs follow it.
std::string proxy_v2_head(ProxyCommand command, ProxyFamily family, std::uint16_t rest_bytes);

// The whole header of a connection of our own.
std::string proxy_v2_local();

}  // namespace penstock::wire
