// What an upstream of many endpoints costs control: its tables at the start, one endpoint more, one
// that goes down, and what they hold. Run by scripts/bench --micro.
//
//   build/bench/tests/bench/tables
//   build/bench/tests/bench/tables --benchmark_filter=one_endpoint_more/balance:5

#include <benchmark/benchmark.h>
#include <malloc.h>

#include "upstream/hash.hpp"
#include "upstream/registry.hpp"

namespace {

using namespace penstock;

upstream::ClusterSpec spec_of(const benchmark::State& state) {
  upstream::ClusterSpec spec;
  spec.name = "u";
  spec.balance = static_cast<upstream::Balance>(state.range(0));
  for (std::int64_t i = 0; i < state.range(1); ++i) {
    const std::string address = "10." + std::to_string(i / 65'536) + '.' +
                                std::to_string(i / 256 % 256) + '.' + std::to_string(i % 256) +
                                ":80";
    spec.endpoints.push_back({.identity = address,
                              .address = *os::parse_socket_address(address),
                              .weight = static_cast<std::uint32_t>(1 + i % state.range(2))});
  }
  return spec;
}

std::size_t bytes_in_use() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

void name_it(benchmark::State& state) {
  state.SetLabel(
      std::string{upstream::balance_names[static_cast<upstream::Balance>(state.range(0))]});
}

void at_the_start(benchmark::State& state) {
  const upstream::ClusterSpec spec = spec_of(state);
  const std::size_t before = bytes_in_use();
  auto registry = std::make_unique<upstream::Registry>(std::vector{spec}, base::Instant{});
  state.counters["KiB"] = static_cast<double>(bytes_in_use() - before) / 1024;
  for (auto _ : state) {
    registry = nullptr;
    registry = std::make_unique<upstream::Registry>(std::vector{spec}, base::Instant{});
  }
  name_it(state);
}

// A list of which the last one comes and goes, as a watched file or DNS would have it.
void one_endpoint_more(benchmark::State& state) {
  const upstream::ClusterSpec spec = spec_of(state);
  auto shorter = spec.endpoints;
  shorter.pop_back();
  upstream::Registry registry{{spec}, {}};
  bool is_shorter = false;
  for (auto _ : state) {
    is_shorter = !is_shorter;
    registry.replace_endpoints(*registry.upstreams().front(), is_shorter ? shorter : spec.endpoints,
                               {});
    registry.reclaim(1, 1, {});
  }
  name_it(state);
}

void one_state_changes(benchmark::State& state) {
  upstream::Registry registry{{spec_of(state)}, {}};
  upstream::LiveRecord& live = *registry.upstreams().front()->cluster().endpoint(0).live;
  bool is_up = true;
  for (auto _ : state) {
    is_up = !is_up;
    registry.set_health(live, is_up ? upstream::Health::up : upstream::Health::down, "", {});
    registry.refresh({});
    registry.reclaim(1, 1, {});
  }
  name_it(state);
}

// Each with a connection, so that nobody is free at the first look.
void pick_of_many(benchmark::State& state) {
  const upstream::Registry registry{{spec_of(state)}, {}};
  const upstream::Cluster& cluster = registry.upstreams().front()->cluster();
  for (const auto& endpoint : cluster.endpoints()) endpoint.live->active = 1;
  upstream::Question question;
  for (auto _ : state) {
    benchmark::DoNotOptimize(cluster.pick(question, {}));
    ++question.turn;
    question.key = upstream::mixed_again(question.key, question.turn);
  }
  name_it(state);
}

void many(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"balance", "endpoints", "weights"})
      ->ArgsProduct({benchmark::CreateDenseRange(0, 6, 1), {10, 1000, 10'000, 16'384}, {1, 10}})
      ->Unit(benchmark::kMillisecond);
}

BENCHMARK(at_the_start)->Apply(many);
BENCHMARK(one_endpoint_more)->Apply(many);
BENCHMARK(one_state_changes)->Apply(many);
BENCHMARK(pick_of_many)->Apply(many)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
