#pragma once
// Becoming another user, for a process that was started as root to bind its ports.
//
// Thread   before any that matters is started: capabilities are kept only by the calling thread and
//          by those that it starts later; ids change for all threads at once (setresuid(3)).
// Errors   the sentence that a user should read; the process is not to go on then.
// Source   credentials(7), capabilities(7).

#include <string>

#include "base/result.hpp"

namespace penstock::os {

struct Identity {
  unsigned user = 0;
  unsigned group = 0;
};

// Names or numbers. Without a group the user's own; without a user, ours.
using FoundIdentity = base::SentenceOr<Identity>;
FoundIdentity find_identity(const std::string& user, const std::string& group);

Identity current_identity() noexcept;

// Gives up all ids and supplementary groups, and who does not stay root gives up all capabilities,
// but CAP_NET_ADMIN where asked to keep it; looks whether there is a way back. Empty on success.
std::string become(const Identity& identity, bool keep_network_admin);

}  // namespace penstock::os
