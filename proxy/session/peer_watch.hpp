#pragma once
// Is a peer that owes us an acknowledgement still alive?
//
// A peer that answers with a closed window is alive, however long it does not read; one that has
// vanished answers nothing. TCP's own time out takes a quarter of an hour, TCP_USER_TIMEOUT also
// ends live peers with a closed window (tcp(7)). So the kernel is asked at intervals:
//
//   dead = data has been outstanding for the whole timeout, nothing was heard in that time, and
//          either segments are in flight or three probes stayed without an answer.
//
// (With a closed window nothing is in flight; probes go out ever more rarely, up to two minutes
// apart, so silence alone proves nothing there.)
//
// Limits   a timeout above base::Moment::reach (24 days) counts as that.
// Owner    a session, one per socket. Thread: the forwarder's own.

#include <optional>

#include "base/moment.hpp"
#include "base/time.hpp"
#include "os/tcp_info.hpp"

namespace penstock::session {

class PeerWatch {
 public:
  enum class Verdict : std::uint8_t {
    nothing_owed,  // no need to look again until bytes were sent
    owed,          // look again
    dead,
  };

  // REQUIRES: called about every `timeout` / 4 while something is owed.
  Verdict look(std::size_t unacknowledged_bytes, const std::optional<os::TcpInfo>& info,
               base::Instant now, base::Duration timeout) noexcept;

 private:
  static constexpr std::uint32_t probes_max = 3;
  base::Moment silent_since_;
};

}  // namespace penstock::session
