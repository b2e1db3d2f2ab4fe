#include "runtime/thread_place.hpp"

#include <algorithm>
#include <future>

#include "os/numa.hpp"
#include "os/socket.hpp"
#include "runtime/thread_lock.hpp"

namespace penstock::runtime {

namespace {

constexpr std::uint64_t sampled_one_in = 16;

MemoryPolicy set_policy(const ThreadPlan& plan) noexcept {
  if (plan.memory == MemoryPolicy::bound && os::bind_memory_to_node(plan.memory_node))
    return MemoryPolicy::bound;
  if (plan.memory == MemoryPolicy::local && os::prefer_local_memory()) return MemoryPolicy::local;
  return MemoryPolicy::system;
}

}  // namespace

void ThreadPlace::settle(const ThreadPlan& plan) noexcept {
  const bool pinned = !plan.cpus.empty() && os::bind_thread_to_cpus(plan.cpus);
  is_pinned_.set(pinned ? 1 : 0);
  memory_.set(static_cast<std::uint64_t>(set_policy(plan)));
  note_cpu();
}

void ThreadPlace::lock(const ThreadLock* lock) noexcept {
  if (lock == nullptr) return;
  if (const auto error = lock->apply())
    lock_refusal_.set(static_cast<std::uint64_t>(error.value()));
}

void ThreadPlace::note_cpu() noexcept {
  cpu_.set(static_cast<std::uint64_t>(os::current_cpu() + 1));
}

void ThreadPlace::sample_arrival(int socket, const ThreadPlan& plan) noexcept {
  const bool its_turn = arrivals_.value() % sampled_one_in == 0;
  arrivals_.add();
  if (!its_turn) return;
  const std::optional<int> cpu = os::incoming_cpu(socket);
  if (!cpu) return;  // a unix socket
  sampled_.add();
  if (std::binary_search(plan.near_cpus.begin(), plan.near_cpus.end(), *cpu)) local_.add();
}

void work_as_planned(const ThreadPlan& plan, const std::function<void()>& work) {
  if (plan.cpus.empty()) return work();
  const auto settled = [&] {
    ThreadPlace{}.settle(plan);
    work();
  };
  std::async(std::launch::async, settled).get();
}

ThreadPlace::Seen ThreadPlace::seen() const noexcept {
  Seen seen{.is_pinned = is_pinned_.value() != 0,
            .memory = static_cast<MemoryPolicy>(memory_.value()),
            .lock_refusal = static_cast<int>(lock_refusal_.value()),
            .arrivals_sampled = sampled_.value(),
            .arrivals_local = local_.value()};
  if (const std::uint64_t cpu = cpu_.value(); cpu != 0) seen.cpu = static_cast<int>(cpu) - 1;
  return seen;
}

}  // namespace penstock::runtime
