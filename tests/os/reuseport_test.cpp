#include "os/reuseport.hpp"

#include <sys/syscall.h>

#include <thread>

#include "catch.hpp"
#include "os/host_addresses.hpp"
#include "os/loopback.hpp"
#include "os/numa.hpp"
#include "os/refusal.hpp"

namespace penstock::os {

namespace {

using testing::loopback_v4;
using Counts = std::vector<std::size_t>;

ListenGroup group_of(const std::vector<SteeringRule>& rules,
                     const SocketAddress& address = loopback_v4()) {
  auto group = listen_as_group(address, {}, {}, rules);
  if (!group) throw std::runtime_error{group.error()};
  return std::move(*group);
}

std::size_t take_all(const Fd& listener) {
  std::size_t count = 0;
  IpEndpoint peer;
  while (accept_from(listener.get(), peer)) ++count;
  return count;
}

// On loopback a SYN is received by the CPU that sends it.
void dial_from(int cpu, const SocketAddress& address, int connections) {
  std::thread{[&] {
    bind_thread_to_cpus({cpu});
    for (int i = 0; i < connections; ++i) testing::dial(address);
  }}.join();
}

// How many connections each member got of those that come from this CPU.
Counts counts_from(int cpu, const ListenGroup& group, int connections) {
  dial_from(cpu, testing::address_of(group.sockets.front().get()), connections);
  Counts counts;
  for (const Fd& socket : group.sockets) counts.push_back(take_all(socket));
  return counts;
}

int first_cpu() {
  return thread_affinity().front();
}
int last_cpu() {
  return thread_affinity().back();
}

// Whether the fact holds in a child process in which this option of SOL_SOCKET is refused.
bool holds_without_option(unsigned option, const std::function<bool()>& fact) {
  return testing::holds_in_child([option] { testing::refuse_socket_option(option); }, fact);
}

}  // namespace

TEST_CASE("a connection goes to the member of the CPU that received it", "[os]") {
  const ListenGroup group = group_of({{.cpus = {first_cpu()}}, {.cpus = {last_cpu()}, .first = 1}});
  REQUIRE(group.sockets.size() == 2);
  CHECK_FALSE(group.refused);
  CHECK(counts_from(first_cpu(), group, 20) == Counts{20, 0});
  if (first_cpu() == last_cpu()) return;  // a machine of one CPU
  CHECK(counts_from(last_cpu(), group, 20) == Counts{0, 20});
}

TEST_CASE("several members of a rule share at random", "[os]") {
  const ListenGroup group =
      group_of({{.cpus = {4000}}, {.cpus = thread_affinity(), .first = 1, .count = 2}});
  const Counts counts = counts_from(first_cpu(), group, 64);
  CHECK(counts[0] == 0);
  CHECK(counts[1] > 0);
  CHECK(counts[2] > 0);
  CHECK(counts[1] + counts[2] == 64);
}

TEST_CASE("from a CPU that no rule knows any member may be taken", "[os]") {
  const ListenGroup group = group_of({{.cpus = {4000}}, {.cpus = {4001, 4002}, .first = 1}});
  const Counts counts = counts_from(first_cpu(), group, 64);
  CHECK(counts[0] > 0);
  CHECK(counts[1] > 0);
}

TEST_CASE("an address in use is an error for a group, of a group as well", "[os]") {
  const ListenGroup group = group_of({{.cpus = {0}, .count = 2}});
  const SocketAddress address = testing::address_of(group.sockets.front().get());
  const auto second = listen_as_group(address, {}, {}, {{.cpus = {0}, .count = 2}});
  REQUIRE(second.has_error());
  CHECK(second.error().find("another process listens there") != std::string::npos);
}

TEST_CASE("one acceptor shares with nobody, and a unix socket is one alone", "[os]") {
  const ListenGroup alone = group_of({{.cpus = {0}}});
  CHECK(alone.sockets.size() == 1);
  const SocketAddress address = testing::address_of(alone.sockets.front().get());
  CHECK(listen_as_group(address, {}, {}, {{.cpus = {0}, .count = 2}}).has_error());
  const testing::TemporaryDirectory folder;
  const auto path = SocketAddress::unix_path(folder / "socket");
  CHECK(group_of({{.cpus = {0}, .count = 3}}, path).sockets.size() == 1);
}

TEST_CASE("IPv6 is steered likewise", "[os]") {
  const ListenGroup group =
      group_of({{.cpus = {4000}}, {.cpus = thread_affinity(), .first = 1}}, testing::loopback_v6());
  CHECK(counts_from(first_cpu(), group, 10) == Counts{0, 10});
}

TEST_CASE("a member that has emptied its queue may close: newcomers reach the others", "[os]") {
  ListenGroup group = group_of(
      {{.cpus = {first_cpu()}, .first = 0}, {.cpus = {last_cpu() + 1}, .first = 1, .count = 2}});
  const SocketAddress address = testing::address_of(group.sockets.front().get());
  CHECK(counts_from(first_cpu(), group, 5) == Counts{5, 0, 0});
  REQUIRE_FALSE(drop_new_handshakes(group.sockets.front().get()));
  group.sockets.erase(group.sockets.begin());
  dial_from(first_cpu(), address, 20);
  CHECK(take_all(group.sockets[0]) + take_all(group.sockets[1]) == 20);
}

TEST_CASE("where the kernel refuses sharing there is one socket, and it is said", "[os]") {
  CHECK(holds_without_option(SO_REUSEPORT, [] {
    const ListenGroup group = group_of({{.cpus = {0}, .count = 2}});
    return group.sockets.size() == 1 && group.refused->starts_with("SO_REUSEPORT was refused");
  }));
}

TEST_CASE("where the kernel refuses the program its hash chooses, and it is said", "[os]") {
  CHECK(holds_without_option(SO_ATTACH_REUSEPORT_CBPF, [] {
    const ListenGroup group = group_of({{.cpus = {4000}}, {.cpus = {4001}, .first = 1}});
    const Counts counts = counts_from(first_cpu(), group, 64);
    return group.refused->starts_with("SO_ATTACH_REUSEPORT_CBPF was refused") && counts[0] > 0 &&
           counts[1] > 0;
  }));
}

TEST_CASE("CPUs in a row are one range, and too many ranges are no program", "[os]") {
  CHECK(steering_program({{.cpus = {0, 1, 2, 3}}}).size() == 5);
  CHECK(steering_program({{.cpus = {0, 1, 4}}, {.cpus = {2, 3}, .first = 1}}).size() == 11);
  std::vector<int> scattered;
  for (int cpu = 0; cpu < 8000; cpu += 2) scattered.push_back(cpu);
  CHECK(steering_program({{.cpus = scattered}}).empty());
  const ListenGroup group =
      group_of({{.cpus = scattered}, {.cpus = thread_affinity(), .first = 1}});
  CHECK(group.sockets.size() == 2);
  CHECK(group.refused.has_value());
}

TEST_CASE("who connects from this host is known by loopback or a device's address", "[os]") {
  const HostAddresses host = HostAddresses::now();
  CHECK(host.has(testing::loopback_v4().ip()));
  CHECK(host.has(testing::loopback_v6().ip()));
  CHECK(host.has(IpEndpoint{}));  // a unix socket
  CHECK_FALSE(host.has(parse_socket_address("192.0.2.1:80")->ip()));
  CHECK(HostAddresses{}.has(parse_socket_address("127.9.9.9:80")->ip()));
}

}  // namespace penstock::os
