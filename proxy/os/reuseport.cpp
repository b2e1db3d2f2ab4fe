#include "os/reuseport.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <numeric>

#include "os/bound_socket.hpp"

namespace penstock::os {

namespace {

// No socket has this index: the kernel chooses one by its hash.
constexpr std::uint32_t any_member = 0xffff'ffff;

constexpr std::uint32_t ancillary(int what) noexcept {
  return static_cast<std::uint32_t>(SKF_AD_OFF + what);
}

void load(std::vector<sock_filter>& program, int what) {
  program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ancillary(what)));
}

// What answers for one rule. The accumulator may be spent: whoever comes here does not go on.
std::vector<sock_filter> answer_of(const SteeringRule& rule) {
  if (rule.count == 1) return {BPF_STMT(BPF_RET | BPF_K, rule.first)};
  std::vector<sock_filter> answer;
  load(answer, SKF_AD_RANDOM);
  answer.push_back(BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, rule.count));
  answer.push_back(BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, rule.first));
  answer.push_back(BPF_STMT(BPF_RET | BPF_A, 0));
  return answer;
}

// In place of a jump to a far answer, whose offset has eight bits, every range bears its own.
void add_range(std::vector<sock_filter>& program, int first, int last,
               const std::vector<sock_filter>& answer) {
  const auto size = static_cast<std::uint8_t>(answer.size());
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, static_cast<std::uint32_t>(first), 0,
                             static_cast<std::uint8_t>(size + 1)));
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, static_cast<std::uint32_t>(last), size, 0));
  program.insert(program.end(), answer.begin(), answer.end());
}

void add_rule(std::vector<sock_filter>& program, const SteeringRule& rule) {
  const std::vector<sock_filter> answer = answer_of(rule);
  for (std::size_t begin = 0; begin < rule.cpus.size();) {
    std::size_t end = begin + 1;
    while (end < rule.cpus.size() && rule.cpus[end] == rule.cpus[end - 1] + 1) ++end;
    add_range(program, rule.cpus[begin], rule.cpus[end - 1], answer);
    begin = end;
  }
}

std::string refused(const char* option, const char* then) {
  std::string sentence{option};
  return sentence.append(" was refused (").append(std::strerror(errno)).append("): ").append(then);
}

bool may_share(int socket) noexcept {
  const int on = 1;
  return ::setsockopt(socket, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0;
}

bool attach(int socket, std::vector<sock_filter> code) noexcept {
  if (code.empty()) {
    errno = E2BIG;
    return false;
  }
  const sock_fprog program{.len = static_cast<unsigned short>(code.size()), .filter = code.data()};
  return ::setsockopt(socket, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program) == 0;
}

std::size_t members_of(const std::vector<SteeringRule>& rules) {
  return std::accumulate(rules.begin(), rules.end(), std::size_t{0},
                         [](std::size_t sum, const auto& rule) { return sum + rule.count; });
}

}  // namespace

std::vector<sock_filter> steering_program(const std::vector<SteeringRule>& rules) {
  std::vector<sock_filter> program;
  load(program, SKF_AD_CPU);
  for (const SteeringRule& rule : rules) add_rule(program, rule);
  program.push_back(BPF_STMT(BPF_RET | BPF_K, any_member));
  if (program.size() > BPF_MAXINSNS) program.clear();
  return program;
}

base::SentenceOr<ListenGroup> listen_as_group(const SocketAddress& address,
                                              const ListenOptions& listen,
                                              const SocketOptions& options,
                                              const std::vector<SteeringRule>& rules) {
  ListenGroup group;
  auto first = bind_socket(address, listen, options);
  if (!first) return first.error();
  // Port 0 left the choice to the kernel.
  const SocketAddress bound =
      address.is_unix() ? address : SocketAddress{local_endpoint(first->get())};
  group.sockets.push_back(std::move(*first));
  std::size_t members = address.is_unix() ? 1 : members_of(rules);
  const int leader = group.sockets.front().get();
  if (members > 1 && !may_share(leader)) {
    members = 1;
    group.refused = refused("SO_REUSEPORT", "one acceptor takes all connections");
  }
  if (members > 1 && !attach(leader, steering_program(rules)))
    group.refused = refused("SO_ATTACH_REUSEPORT_CBPF", "the kernel's hash chooses the acceptor");
  while (group.sockets.size() < members) {
    auto next = bind_socket(bound, listen, options, &may_share);
    if (!next) return next.error();
    group.sockets.push_back(std::move(*next));
  }
  for (const Fd& socket : group.sockets)
    if (std::string fault = start_listening(socket.get(), bound, listen); !fault.empty())
      return fault;
  return group;
}

}  // namespace penstock::os
