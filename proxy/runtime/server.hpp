#pragma once
// The data plane as a whole: listeners, acceptors, forwarders.
//
// Owner    control (main). Everything is built bottom up in create(); start() lets threads run.
// Thread   every method by the control thread, which is the one that calls create(). What is
//          returned by reference lives as long as the server; its counters may be read at any time.
// Errors   create() answers with the sentence that a user should read; nothing is left behind then.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/owner_thread.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "session/endpoint_removals.hpp"

namespace penstock::os {
class SocketAddress;
class Wakeup;
struct NetworkDevice;
}  // namespace penstock::os
namespace penstock::upstream {
class Registry;
struct LiveRecord;
}  // namespace penstock::upstream
namespace penstock::session {
struct Listener;
struct LogSwitches;
struct Record;
struct Stall;
}  // namespace penstock::session

namespace penstock::runtime {

class ThreadLock;
struct Assembly;
struct ForwarderView;
struct ServerSpec;
struct ThreadView;

// What the threads apply to themselves; none: runtime.sandbox is off. They outlive the server.
struct ThreadLocks {
  const ThreadLock* acceptor = nullptr;
  const ThreadLock* forwarder = nullptr;
};

class Server {
 public:
  using Created = base::SentenceOr<std::unique_ptr<Server>>;
  // Binds every listener, builds everything. `log` says which records control wants; the upstreams
  // are those of the spec, and outlive the server.
  static Created create(ServerSpec spec, session::LogSwitches log, upstream::Registry& upstreams);
  ~Server();  // stop() has been called, or start() never was

  void start(const ThreadLocks& locks = {});

  // --- numbers come up ---
  std::vector<ForwarderView> forwarders() const;
  const std::vector<std::unique_ptr<session::Listener>>& listeners() const noexcept;
  // The bound addresses of a listener, port 0 replaced by what the kernel chose.
  const std::vector<os::SocketAddress>& addresses(std::size_t listener) const noexcept;
  const ServerSpec& spec() const noexcept;
  std::size_t connections_active() const noexcept;
  std::size_t connections_max() const noexcept;  // runtime.max_connections, auto worked out
  // Lines for the log: what was decided at start and why (forwarders, pinning, limits).
  const std::vector<std::string>& decisions() const noexcept;
  // Every acceptor and forwarder; the devices are those that carry the listeners.
  std::vector<ThreadView> threads() const;
  // The same, and where the pages of the arenas are: the kernel is asked, see NodeArena::pages().
  std::vector<ThreadView> threads_with_pages() const;
  const std::vector<os::NetworkDevice>& devices() const noexcept;
  // Accepting is paused now: a limit was reached (see docs/OPERATIONS.md).
  bool accepting_paused() const noexcept;

  // A connection that stalled and was resumed, for the log. False where there is none.
  bool take_stall(session::Stall& stall) noexcept;

  // --- records: closed (and opened) connections, for the access log ---
  // True where `record` was filled in. Takes them from all forwarders in turn.
  bool take_record(session::Record& record) noexcept;
  // The descriptor becomes readable when records are waiting, once after each expect_records().
  os::Wakeup& records_wakeup() noexcept;
  // To be called when there was nothing left to take: the next record rings, and so does an
  // upstream that is to be refreshed. True where one came in the meantime: then look again.
  bool expect_records() noexcept;

  // --- commands go down ---
  // Asks every forwarder to answer, see ForwarderView::last_answer, and frees what none of them
  // can look at any more.
  void ping();
  // What becomes of the connections of endpoints that went away: drained, for at most
  // runtime.drain.timeout, or closed at once. One command, however many there are.
  void remove_endpoints(std::vector<session::EndpointRemoval> removals);
  // The listeners whose index `which` has stop without resetting what is queued; `done` is called
  // once, on an acceptor thread.
  void stop_accepting(const std::vector<bool>& which, std::function<void()> done);
  // Idle connections are closed from now on, spread over `timeout`; what is left then is reset.
  void begin_drain(base::Duration timeout);
  // Resets every connection.
  void cut_connections();
  // Ends and joins all threads; what is left is reset.
  void stop();

 private:
  explicit Server(std::unique_ptr<Assembly> parts);
  std::uint64_t answered_ping() const noexcept;

  const std::unique_ptr<Assembly> parts_;
  std::size_t next_ring_ = 0;  // of take_record(), so that no forwarder is preferred
  std::uint64_t next_ping_ = 1;
  base::OwnerThread control_;
};

}  // namespace penstock::runtime
