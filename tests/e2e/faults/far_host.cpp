#include "e2e/faults/far_host.hpp"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <sstream>
#include <thread>
#include <vector>

#include "e2e/network.hpp"
#include "e2e/program.hpp"
#include "e2e/waiting.hpp"

namespace penstock::e2e {

namespace {

void run(const std::string& line) {
  std::istringstream stream{line};
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  const Finished done = run_program(words);
  if (done.exit_code != 0) throw Failure{line + ": " + done.errors};
}

int namespace_of_this_thread() {
  const int descriptor = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail_with_errno("cannot open the network namespace");
  return descriptor;
}

void move_to(int network) {
  if (::setns(network, CLONE_NEWNET) != 0) fail_with_errno("setns");
}

}  // namespace

FarHost::FarHost() {
  if (!network_is_ours()) throw Failure{"there is no right to network namespaces"};
  home_ = namespace_of_this_thread();
  // A thread that ends takes its namespace along, unless somebody holds it.
  std::thread{[this] {
    if (::unshare(CLONE_NEWNET) == 0) there_ = namespace_of_this_thread();
  }}.join();
  if (there_ < 0) throw Failure{"no second network namespace"};
  const std::string path = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(there_);
  run("ip link add near0 type veth peer name far0");
  run("ip link set far0 netns " + path);
  run("ip address add 10.77.0.1/24 dev near0");
  run("ip link set near0 up");
  const Visit visit{*this};
  run("ip link set lo up");
  run("ip address add 10.77.0.2/24 dev far0");
  run("ip link set far0 up");
}

FarHost::~FarHost() {
  // The pair goes with one of its ends.
  run_program({"ip", "link", "del", "near0"});
  ::close(there_);
  ::close(home_);
}

FarHost::Visit::Visit(const FarHost& host) : host_{host} {
  move_to(host_.there_);
}

FarHost::Visit::~Visit() {
  ::setns(host_.home_, CLONE_NEWNET);
}

void FarHost::shape_towards(const std::string& discipline) {
  run("tc qdisc replace dev near0 root " + discipline);
}

void FarHost::shape_from(const std::string& discipline) {
  const Visit visit{*this};
  run("tc qdisc replace dev far0 root " + discipline);
}

void FarHost::link(bool up) {
  const Visit visit{*this};
  run(up ? "ip link set far0 up" : "ip link set far0 down");
}

}  // namespace penstock::e2e
