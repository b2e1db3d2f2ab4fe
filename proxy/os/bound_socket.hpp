#pragma once
// The steps of os::listen_on(), for who has something to do between them.
//
// Thread   any. Errors: the sentence.

#include <string>

#include "base/result.hpp"
#include "os/socket.hpp"

namespace penstock::os {

// A socket with its options, bound, that does not listen yet. `before_bind` may refuse.
base::SentenceOr<Fd> bind_socket(const SocketAddress& address, const ListenOptions& listen,
                                 const SocketOptions& options,
                                 bool (*before_bind)(int socket) = nullptr);

// The sentence of what went wrong, or nothing.
std::string start_listening(int socket, const SocketAddress& address, const ListenOptions& listen);

}  // namespace penstock::os
