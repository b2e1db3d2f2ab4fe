// What the small parts cost, each apart. Run by scripts/bench --micro.
//
//   build/bench/tests/bench/micro
//   build/bench/tests/bench/micro --benchmark_filter=timer

#include <benchmark/benchmark.h>

#include <atomic>
#include <memory>
#include <memory_resource>
#include <thread>

#include "base/slab.hpp"
#include "base/spsc_ring.hpp"
#include "base/timer_wheel.hpp"
#include "os/clock.hpp"
#include "os/poller.hpp"
#include "relay/pipe_pool.hpp"
#include "runtime/sleep_flag.hpp"
#include "session/listener.hpp"
#include "session/proxy_session.hpp"
#include "upstream/hash.hpp"
#include "upstream/registry.hpp"

namespace {

using namespace penstock;

// One arrival into a ring and out again, on one thread: the copying and the two indices.
void hand_off_same_thread(benchmark::State& state) {
  base::SpscRing<session::Arrival> ring{1024};
  session::Arrival arrival;
  for (auto _ : state) {
    benchmark::DoNotOptimize(ring.try_push(std::move(arrival)));
    benchmark::DoNotOptimize(ring.try_pop(arrival));
    benchmark::DoNotOptimize(arrival);
  }
}
BENCHMARK(hand_off_same_thread);

// What a sender pays for a receiver that is awake: no system call.
void wake_up_of_one_who_is_awake(benchmark::State& state) {
  runtime::SleepFlag flag;
  for (auto _ : state) benchmark::DoNotOptimize(flag.must_wake());
}
BENCHMARK(wake_up_of_one_who_is_awake);

// A thread that sleeps in its poller is woken and answers: the whole way there and back.
void wake_up_and_answer(benchmark::State& state) {
  os::Poller there = *os::Poller::create();
  os::Poller back = *os::Poller::create();
  std::atomic<bool> stop{false};
  std::thread answerer{[&] {
    while (!stop) {
      there.wait(base::Duration::max());
      back.wake();
    }
  }};
  for (auto _ : state) {
    there.wake();
    back.wait(base::Duration::max());
  }
  stop = true;
  there.wake();
  answerer.join();
}
BENCHMARK(wake_up_and_answer)->UseRealTime();

struct OneTimer : base::Timer {};

void timer_arm_again(benchmark::State& state) {
  const base::Instant start{std::chrono::hours{1}};
  base::TimerWheel wheel{start};
  OneTimer timer;
  std::int64_t milliseconds = 0;
  for (auto _ : state)
    wheel.arm(timer, start + std::chrono::milliseconds{1 + (milliseconds++ & 0xffff)});
}
BENCHMARK(timer_arm_again);

void timer_next_wakeup(benchmark::State& state) {
  const base::Instant start{std::chrono::hours{1}};
  base::TimerWheel wheel{start};
  OneTimer timer;
  wheel.arm(timer, start + std::chrono::hours{1});
  for (auto _ : state) benchmark::DoNotOptimize(wheel.next_wakeup());
}
BENCHMARK(timer_next_wakeup);

void slab_create_and_destroy(benchmark::State& state) {
  struct Record {
    std::byte bytes[sizeof(session::ProxySession)];
  };
  base::Slab<Record> slab{*std::pmr::new_delete_resource()};
  for (auto _ : state) {
    Record* record = slab.create();
    benchmark::DoNotOptimize(record);
    slab.destroy(record);
  }
}
BENCHMARK(slab_create_and_destroy);

void pick(benchmark::State& state) {
  upstream::ClusterSpec spec;
  spec.name = "u";
  spec.balance = static_cast<upstream::Balance>(state.range(0));
  for (int i = 1; i <= state.range(1); ++i) {
    const std::string address = "10.0." + std::to_string(i / 256) + '.' + std::to_string(i % 256);
    spec.endpoints.push_back({
        .identity = address,
        .address = *os::parse_socket_address(address + ":80"),
    });
  }
  const upstream::Registry registry{{spec}, {}};
  const upstream::Cluster& cluster = registry.upstreams().front()->cluster();
  upstream::Question question{.now = os::now()};
  for (auto _ : state) {
    benchmark::DoNotOptimize(cluster.pick(question, {}));
    ++question.turn;
    question.key = upstream::mixed_again(question.key, question.turn);
  }
  state.SetLabel(std::string{upstream::balance_names[spec.balance]});
}
BENCHMARK(pick)
    ->ArgNames({"balance", "endpoints"})
    ->ArgsProduct({benchmark::CreateDenseRange(0, 6, 1), {1, 10, 1000}});

// The whole of it: the turn, the place at the endpoint, and its return.
void take_and_give_back(benchmark::State& state) {
  upstream::ClusterSpec spec;
  spec.name = "u";
  spec.max_connections = static_cast<std::uint32_t>(state.range(0));
  spec.endpoints.push_back({.identity = "e", .address = *os::parse_socket_address("10.0.0.1:80")});
  const upstream::Registry registry{{spec}, {}};
  upstream::Upstream& upstream = *registry.upstreams().front();
  for (auto _ : state) benchmark::DoNotOptimize(upstream.take(0, {}, false, {}).lease.endpoint());
}
BENCHMARK(take_and_give_back)->ArgName("max_connections")->Arg(0)->Arg(1000);

void pipe_lease(benchmark::State& state) {
  relay::Counters counters;
  relay::Options options;
  options.pipes_max = 4;
  relay::PipePool pool{options, *std::pmr::new_delete_resource(), counters};
  for (auto _ : state) pool.give_back(pool.lease(relay::PipeSize::usual, {}));
}
BENCHMARK(pipe_lease);

// What a lease saves.
void pipe_open_and_close(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(os::open_pipe(256 * 1024));
}
BENCHMARK(pipe_open_and_close);

}  // namespace

BENCHMARK_MAIN();
