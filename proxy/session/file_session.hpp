#pragma once
// A connection of a `files` listener: a Responder with deadlines and books.
//
// Owner    the SessionTable. Thread: the forwarder's own.

#include "base/time.hpp"
#include "files/responder.hpp"
#include "os/poller.hpp"
#include "session/record.hpp"
#include "session/session.hpp"

namespace penstock::files {
class SiteView;
}

namespace penstock::session {

class FileSession final : public Session {
 public:
  FileSession(const Arrival& arrival, files::SiteView& site) noexcept
      : Session{arrival}, responder_{site} {}
  ~FileSession() override;

  Next start(Context& context) noexcept override;
  void note(unsigned side, const os::Event& event, Context& context) noexcept override;
  Next run(Context& context) noexcept override;
  Next expired(Context& context) noexcept override;
  void begin_drain(base::Instant turn, Context& context) noexcept override;
  void cut(Context& context) noexcept override;

 private:
  void account(std::uint64_t copied, std::uint64_t by_sendfile, Context& context) noexcept;
  void arm(Context& context) noexcept;
  base::Instant idle_deadline() const noexcept;
  Next finish(CloseReason reason, bool reset, Context& context) noexcept;

  files::Responder responder_;
  base::Instant drain_turn_ = base::never;
  base::Duration first_byte_ = Record::unknown;
  bool ended_ = false;
};

}  // namespace penstock::session
