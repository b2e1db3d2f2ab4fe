#include "runtime/views.hpp"

#include <utility>

#include "runtime/assembly.hpp"

namespace penstock::runtime {

std::vector<ForwarderView> views_of_forwarders(const Assembly& server) {
  std::vector<ForwarderView> views;
  for (const auto& forwarder : server.forwarders) {
    const ThreadPlan& plan = forwarder->setup().plan;
    views.push_back({.index = forwarder->setup().index,
                     .node = plan.node,
                     .cpu = plan.cpus.size() == 1 ? plan.cpus.front() : -1,
                     .relay = forwarder->relay_counters(),
                     .sessions = forwarder->session_counters(),
                     .rounds = forwarder->rounds(),
                     .last_answer = forwarder->answer().at(),
                     .sites = &forwarder->sites(),
                     .ring_refusal = forwarder->ring_refusal()});
  }
  return views;
}

std::vector<ThreadView> views_of_threads(const Assembly& server) {
  std::vector<ThreadView> views;
  const auto add = [&](const std::string& kind, const auto& thread,
                       std::optional<ArenaView> arena) {
    views.push_back({.name = kind + std::to_string(thread->setup().index),
                     .plan = thread->setup().plan,
                     .seen = thread->place().seen(),
                     .arena = std::move(arena)});
  };
  for (const auto& acceptor : server.acceptors) {
    add("acceptor-", acceptor, std::nullopt);
    views.back().accepted =
        AcceptedView{.connections = acceptor->accepted(), .passed_on = acceptor->passed_on()};
  }
  for (std::size_t i = 0; i < server.forwarders.size(); ++i)
    add("forwarder-", server.forwarders[i], server.arenas[i]->view());
  return views;
}

std::vector<ThreadView> views_of_threads_with_pages(const Assembly& server) {
  std::vector<ThreadView> views = views_of_threads(server);
  const std::size_t first = server.acceptors.size();
  for (std::size_t i = 0; i < server.arenas.size(); ++i)
    views[first + i].arena->pages = server.arenas[i]->pages();
  return views;
}

}  // namespace penstock::runtime
