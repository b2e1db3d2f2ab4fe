#pragma once
// What a server is made of, and how it is made from its spec and the machine: sockets, arenas,
// threads.
//
// Owner    the Server, which alone says what happens with it. Thread: control's; each part says
//          what others may do.
// Order    parts stand in the order of construction, and so the reverse order of destruction: who
//          uses comes after what is used.
// Errors   build() answers with the sentence that a user should read; nothing is left behind then.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "os/address.hpp"
#include "os/network_device.hpp"
#include "os/wakeup.hpp"
#include "runtime/acceptor.hpp"
#include "runtime/admission.hpp"
#include "runtime/command_outbox.hpp"
#include "runtime/forwarder.hpp"
#include "runtime/node_arena.hpp"
#include "runtime/options.hpp"
#include "runtime/placement.hpp"
#include "session/context.hpp"
#include "session/listener.hpp"
#include "upstream/registry.hpp"
#include "upstream/wait_queue.hpp"

namespace penstock::runtime {

struct Assembly final : upstream::QueueBell {
  // Binds every listener; no thread runs yet.
  static base::SentenceOr<std::unique_ptr<Assembly>> build(ServerSpec spec,
                                                           session::LogSwitches log,
                                                           upstream::Registry& upstreams);

  const ServerSpec spec;
  const session::LogSwitches log;
  upstream::Registry& upstreams;  // control's; outlives this
  std::vector<std::unique_ptr<session::Listener>> listeners;
  std::vector<std::vector<os::SocketAddress>> addresses;  // by listener
  std::vector<os::NetworkDevice> devices;
  Placement placement;
  RecordBell bell;
  std::vector<std::unique_ptr<os::Wakeup>> resume_bells;  // by acceptor
  std::unique_ptr<Admission> admission;
  std::vector<NodeArena::Owner> arenas;  // by forwarder
  std::vector<InArena<Forwarder>> forwarders;
  std::vector<std::unique_ptr<Acceptor>> acceptors;
  CommandOutbox outbox;

 private:
  using Built = base::SentenceOr<void>;
  using SocketsByAcceptor = std::vector<std::vector<BoundSocket>>;

  Assembly(ServerSpec given, session::LogSwitches switches, upstream::Registry& registry);
  Assembly(const Assembly&) = delete;
  Assembly& operator=(const Assembly&) = delete;

  Built build_all();
  Built plan();
  Built add_listener(const ListenerSpec& given, SocketsByAcceptor& sockets);
  Built bind_sockets(const ListenerSpec& given, session::Listener& listener,
                     SocketsByAcceptor& sockets);
  void add_forwarders();
  void add_acceptors(SocketsByAcceptor sockets);
  void note_refusal(const std::string& sentence);
  void ring(std::uint16_t forwarder) noexcept override { forwarders[forwarder]->wake_queued(); }
};

}  // namespace penstock::runtime
