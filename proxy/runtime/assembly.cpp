#include "runtime/assembly.hpp"

#include <algorithm>
#include <utility>

#include "files/site.hpp"
#include "os/host_addresses.hpp"
#include "os/numa.hpp"
#include "os/reuseport.hpp"
#include "os/socket.hpp"
#include "os/socket_file.hpp"
#include "os/topology.hpp"
#include "runtime/devices.hpp"
#include "runtime/thread_place.hpp"

namespace penstock::runtime {

namespace {

std::string in_listener(const ListenerSpec& listener, const std::string& what) {
  return "listener " + listener.session.name + ": " + what;
}

// The sentence of what refuses to bind memory, where some thread needs it bound.
std::string missing_for_strict(const Placement& placement) {
  std::vector<int> nodes;
  for (const auto* plans : {&placement.forwarders, &placement.acceptors})
    for (const ThreadPlan& plan : *plans)
      if (plan.memory == MemoryPolicy::bound) nodes.push_back(plan.memory_node);
  if (nodes.empty()) return {};
  const auto refused = os::memory_binding_refused(nodes);
  if (!refused) return {};
  std::string sentence{"runtime.numa: strict cannot be kept: "};
  return sentence.append(*refused).append(
      "; a container needs CAP_SYS_NICE or a seccomp profile that allows the memory policy calls; "
      "else set runtime.numa: auto");
}

}  // namespace

Assembly::Assembly(ServerSpec given, session::LogSwitches switches, upstream::Registry& registry)
    : spec{std::move(given)}, log{switches}, upstreams{registry} {
  upstreams.set_bell(*this);
}

base::SentenceOr<std::unique_ptr<Assembly>> Assembly::build(ServerSpec spec,
                                                            session::LogSwitches log,
                                                            upstream::Registry& upstreams) {
  std::unique_ptr<Assembly> assembly{new Assembly{std::move(spec), log, upstreams}};
  if (auto built = assembly->build_all(); !built) return built.error();
  return assembly;
}

Assembly::Built Assembly::build_all() {
  if (auto planned = plan(); !planned) return planned;
  SocketsByAcceptor sockets(placement.acceptors.size());
  for (const ListenerSpec& listener : spec.listeners)
    if (auto added = add_listener(listener, sockets); !added) return added;
  std::vector<os::Wakeup*> bells;
  for (std::size_t i = 0; i < placement.acceptors.size(); ++i)
    bells.push_back(resume_bells.emplace_back(std::make_unique<os::Wakeup>()).get());
  admission = std::make_unique<Admission>(spec.runtime.max_connections, bells);
  add_forwarders();
  add_acceptors(std::move(sockets));
  return {};
}

Assembly::Built Assembly::plan() {
  std::vector<std::vector<os::SocketAddress>> asked;
  for (const ListenerSpec& listener : spec.listeners) asked.push_back(listener.addresses);
  devices = devices_at(asked);
  auto planned = plan_placement(spec.runtime, os::numa_topology(), devices);
  if (!planned) return planned.error();
  placement = std::move(*planned);
  if (std::string refused = missing_for_strict(placement); !refused.empty()) return refused;
  return {};
}

Assembly::Built Assembly::add_listener(const ListenerSpec& given, SocketsByAcceptor& sockets) {
  auto listener = std::make_unique<session::Listener>();
  listener->index = static_cast<std::uint32_t>(listeners.size());
  listener->options = given.session;
  if (given.session.files) {
    auto site = files::Site::open(*given.session.files);
    if (!site) return in_listener(given, site.error());
    listener->site = std::move(*site);
  } else {
    listener->upstream = upstreams.find(given.session.upstream);
  }
  if (auto opened = bind_sockets(given, *listener, sockets); !opened) return opened;
  listeners.push_back(std::move(listener));
  return {};
}

Assembly::Built Assembly::bind_sockets(const ListenerSpec& given, session::Listener& listener,
                                       SocketsByAcceptor& sockets) {
  std::vector<os::SocketAddress> bound;
  const std::vector<os::SteeringRule> rules = steering_rules(placement.acceptors);
  for (const os::SocketAddress& address : given.addresses) {
    auto group = os::listen_as_group(address, given.listen, given.session.socket, rules);
    if (!group) return in_listener(given, group.error());
    if (group->refused && spec.runtime.numa == NumaMode::strict)
      return in_listener(given, "runtime.numa: strict cannot be kept: " + *group->refused);
    if (group->refused) note_refusal(*group->refused);
    // Port 0 leaves the choice to the kernel.
    bound.push_back(address.is_unix()
                        ? address
                        : os::SocketAddress{os::local_endpoint(group->sockets.front().get())});
    for (std::size_t i = 0; i < group->sockets.size(); ++i)
      sockets[i].push_back({.socket = std::move(group->sockets[i]),
                            .address = bound.back(),
                            .file = os::SocketFile{address},
                            .listener = &listener});
  }
  addresses.push_back(std::move(bound));
  return {};
}

// Once for all listeners.
void Assembly::note_refusal(const std::string& sentence) {
  auto& said = placement.decisions;
  if (std::find(said.begin(), said.end(), sentence) == said.end()) said.push_back(sentence);
}

void Assembly::add_forwarders() {
  std::vector<upstream::Upstream*> all_upstreams;
  for (const auto& upstream : upstreams.upstreams()) all_upstreams.push_back(upstream.get());
  std::vector<const files::Site*> sites;
  for (const auto& listener : listeners)
    if (listener->site) sites.push_back(listener->site.get());
  for (std::size_t i = 0; i < placement.forwarders.size(); ++i) {
    Forwarder::Setup setup{.index = static_cast<std::uint16_t>(i),
                           .plan = placement.forwarders[i],
                           .relay = spec.relay,
                           .acceptors = placement.acceptors.size(),
                           .listeners = listeners.size(),
                           .upstreams = all_upstreams,
                           .sites = sites,
                           .upstreams_stale = &upstreams.stale(),
                           .spin = placement.spin};
    work_as_planned(placement.forwarders[i], [&] {
      NodeArena& arena = *arenas.emplace_back(NodeArena::create(setup.plan));
      forwarders.push_back(
          make_in<Forwarder>(arena, std::move(setup), log, *admission, bell, arena));
    });
  }
  for (auto& forwarder : forwarders) outbox.add(*forwarder);
}

void Assembly::add_acceptors(SocketsByAcceptor sockets) {
  std::vector<Forwarder*> all;
  for (const auto& forwarder : forwarders) all.push_back(forwarder.get());
  for (std::size_t i = 0; i < placement.acceptors.size(); ++i)
    acceptors.push_back(std::make_unique<Acceptor>(
        Acceptor::Setup{
            .index = i, .stride = placement.acceptors.size(), .plan = placement.acceptors[i]},
        std::move(sockets[i]), all, *admission, *resume_bells[i]));
}

}  // namespace penstock::runtime
