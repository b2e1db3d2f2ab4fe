#pragma once
// A connection of a `files` listener: a Responder with deadlines and books.
//
//   served until      then                                       ends by
//   ----------------- ------------------------------------------ ----------------------------------
//   its client goes   -                                          FIN, complete; RST, client_reset
//   its time is over  what was handed to the kernel is given, as FIN between two requests, else RST
//                     long as abort_linger allows
//   the file breaks   likewise                                   RST: the promised length cannot be
//   off                                                          kept
//
// Owner    the SessionTable. Thread: the forwarder's own.
// Errors   every end has a CloseReason.

#include "base/time.hpp"
#include "files/responder.hpp"
#include "os/poller.hpp"
#include "session/ending.hpp"
#include "session/linger.hpp"
#include "session/record.hpp"
#include "session/standing_session.hpp"

namespace penstock::files {
class SiteCache;
}

namespace penstock::session {

class FileSession final : public StandingSession {
 public:
  FileSession(const Arrival& arrival, files::SiteCache& site) noexcept
      : StandingSession{arrival}, responder_{site} {}
  ~FileSession() override;

  Next start(Context& context) noexcept override;
  void note(unsigned side, const os::Event& event, Context& context) noexcept override;
  Next run(Context& context) noexcept override;
  Next expired(Context& context) noexcept override;
  void begin_drain(base::Instant turn, Context& context) noexcept override;
  void cut(Context& context) noexcept override;

 private:
  enum class Phase : std::uint8_t { serving, aborting, ended };

  bool is_half_closed() const noexcept override { return responder_.has_finished_sending(); }
  bool is_at_rest() const noexcept override;
  base::Instant own_deadline() const noexcept override;
  bool check_peers(Context& context) noexcept override;
  Next end_by_fin(CloseReason reason, Context& context) noexcept override;
  Next end_in_time(CloseReason reason, Context& context) noexcept override;

  Next run_responder(Context& context) noexcept;
  void account(std::uint64_t copied, std::uint64_t by_sendfile, Context& context) noexcept;
  Next head_is_late(Context& context) noexcept;
  Next begin_abort(CloseReason reason, Context& context) noexcept;
  Next run_aborting(Context& context) noexcept;
  Next finish(CloseReason reason, Ending ending, Context& context) noexcept;

  files::Responder responder_;
  base::Duration first_byte_ = Record::unknown;
  Linger linger_;
  Phase phase_ = Phase::serving;
  CloseReason reason_ = CloseReason::internal;  // while aborting
  bool failed_ = false;                         // the socket
};

}  // namespace penstock::session
