#pragma once
// Stream sockets, TCP and unix. Every call retries EINTR and never raises SIGPIPE by itself
// (splice does: see os/process.hpp).
//
// Thread   any; a socket belongs to one thread at a time.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "os/address.hpp"
#include "os/fd.hpp"

namespace penstock::os {

// What one read or write did, and who acts next.
enum class IoStatus : std::uint8_t {
  moved,        // `bytes` > 0 went through
  would_block,  // wait for the poller
  end,          // reads only: 0 bytes came. For recv() this is FIN; for splice see os/pipe.hpp
  failed,       // `error` holds the errno
};

struct IoResult {
  IoStatus status;
  int error = 0;
  std::size_t bytes = 0;
};

// Settings of a TCP socket; unix sockets take only the buffers, and SO_OOBINLINE, which every
// socket has. 0 or empty = the kernel's own.
struct SocketOptions {
  struct Keepalive {
    base::Duration idle = std::chrono::seconds{60};  // 0 = no keepalive
    base::Duration interval = std::chrono::seconds{10};
    int count = 6;
    bool operator==(const Keepalive&) const = default;
  };
  Keepalive keepalive;
  bool no_delay = true;
  base::Duration tcp_user_timeout{0};
  std::size_t receive_buffer = 0;
  std::size_t send_buffer = 0;
  std::size_t notsent_lowat = 0;
  std::string congestion;
  int dscp = 0;
  std::uint32_t mark = 0;
  bool operator==(const SocketOptions&) const = default;
};

struct ListenOptions {
  int backlog = 4096;
  bool v6_only = false;
  unsigned mode = 0660;  // of a unix socket
  std::string owner;     // of a unix socket; names or numbers
  std::string group;
  bool operator==(const ListenOptions&) const = default;
};

// Binds and listens, non-blocking and close-on-exec; accepted TCP sockets inherit `options` and
// SO_OOBINLINE. A stale unix socket file (nobody answers there) is replaced; any other file is not.
// Errors: a sentence that says what to do.
base::SentenceOr<Fd> listen_on(const SocketAddress& address, const ListenOptions& listen,
                               const SocketOptions& options);

// Makes a listening TCP socket drop fresh SYNs, which their senders repeat to whoever listens
// next, while handshakes under way complete and the queue can be emptied.
base::ErrorCode drop_new_handshakes(int listener) noexcept;

// Takes one connection from the queue, non-blocking and close-on-exec. `peer` is filled in.
// would_block: the queue is empty. ECONNABORTED and the network errors that Linux passes through
// accept() are swallowed: they concern a connection that is gone. A unix socket inherits nothing
// from its listener: it is given its part of `options` here.
base::Result<Fd> accept_from(int listener, IpEndpoint& peer,
                             const SocketOptions& options = {}) noexcept;

// A socket that is being connected, with OOBINLINE and `options` set, but for what a short one has
// no use for: start_keepalive(), send_at_once(). EINPROGRESS is success: wait for writability, then
// ask connect_result(). `source` is the local address where the families are the same, without its
// port: the kernel chooses one at connect (IP_BIND_ADDRESS_NO_PORT), by the whole four-tuple; a
// plain bind would reserve it for one destination and run out after 28,000 connections.
base::Result<Fd> connect_to(const SocketAddress& address, const SocketOptions& options,
                            const std::optional<IpEndpoint>& source = {}) noexcept;

// Ends Nagle's rule for a TCP socket (TCP_NODELAY), and sends what it held back. It holds back a
// small segment only while another small one is on its way: what is written first leaves at once,
// with or without the option, so that who writes once needs no call for it.
void send_at_once(int socket) noexcept;

// Turns keepalive on. Four system calls that a connection of a few seconds has no use for: it is up
// to the caller to wait until it has lived for a while.
void start_keepalive(int socket, const SocketOptions::Keepalive& keepalive) noexcept;

// 0 where the connection stands, else the errno. ECONNREFUSED also for a TCP socket that reached
// itself: dialling a closed port of the ephemeral range can end in a connection of a socket with
// its own name, which would echo the client. Each of the two is a system call, but for what is
// known not to be so.
struct ConnectDoubts {
  // The poller said so with the answer: the kernel writes an error before it calls the socket
  // closed, and poll looks for it last, so that no answer comes without its error.
  bool bears_error = true;
  bool may_reach_itself = true;  // os/local_ports
};
int connect_result(int socket, const SocketAddress& address, ConnectDoubts doubts = {}) noexcept;

IoResult receive(int socket, std::span<std::byte> into) noexcept;
IoResult send(int socket, std::span<const std::byte> bytes) noexcept;
// As send(), but says that more follows at once (MSG_MORE).
IoResult send_more(int socket, std::span<const std::byte> bytes) noexcept;

// As send(), with the TCP urgent mark at the last byte (MSG_OOB).
IoResult send_urgent(int socket, std::span<const std::byte> bytes) noexcept;

// FIN after everything that was sent.
base::ErrorCode finish_sending(int socket) noexcept;

// Makes the coming close() of this socket send RST and drop what is queued. Unix sockets know no
// RST; there it does nothing.
void reset_on_close(int socket) noexcept;

// Bytes that the peer has not acknowledged yet (SIOCOUTQ); 0 where that cannot be known.
std::size_t unacknowledged_bytes(int socket) noexcept;

// Bytes that can be read now, also of a socket that was reset (SIOCINQ); empty where that cannot be
// known.
std::optional<std::size_t> unread_bytes(int socket) noexcept;

// The error that a socket bears, which is thereby cleared; 0 where there is none. After it was
// taken, reads give what is still queued and then 0, as if FIN had come: remember that it failed.
int take_error(int socket) noexcept;

// The local name of a socket.
IpEndpoint local_endpoint(int socket) noexcept;

// The CPU on which the last packet of this connection came in. Empty where there is none: a unix
// socket.
std::optional<int> incoming_cpu(int socket) noexcept;

}  // namespace penstock::os
