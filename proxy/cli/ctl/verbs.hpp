#pragma once
// `penstock ctl`: asks a running proxy and shows its answer.
//
// Exit codes: 0 success, 1 where the proxy does not answer, refuses or is not as asked for.

#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>

#include "base/enum_names.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace penstock::cli {

enum class CtlVerb : std::uint8_t {
  status,
  wait_ready,
  listeners,
  upstreams,
  numa,
  budget,
  endpoint,
  drain
};
inline constexpr base::EnumNames<CtlVerb, 8> ctl_verb_names{
    {"status", "wait-ready", "listeners", "upstreams", "numa", "budget", "endpoint", "drain"}};
static_assert(ctl_verb_names[CtlVerb::drain] == "drain");

struct CtlCommand {
  CtlVerb verb = CtlVerb::status;
  std::string admin{};                                // ip:port, [v6]:port, name:port, unix:/path
  bool json = false;                                  // the server's own JSON, for machines
  base::Duration timeout = std::chrono::seconds{30};  // of wait-ready
  bool wait = false;                                  // of drain
  std::string upstream{};                             // of endpoint, as the next two
  std::string endpoint{};
  std::string state{};
};

struct CtlReply {
  unsigned status = 0;
  std::string body;
};
using CtlFetched = base::SentenceOr<CtlReply>;

// The world as ctl sees it, so that a test can be it.
struct CtlWorld {
  // One request, whose answer is waited for so long at most; errors: the sentence.
  std::function<CtlFetched(std::string_view method, std::string_view target,
                           base::Duration patience)>
      fetch;
  std::function<void(base::Duration)> pause;
  std::function<base::Instant()> now;
  std::ostream& out;
  std::ostream& err;
};

int run_ctl(const CtlCommand& command, CtlWorld& world);

// The same against the admin address of the command, on standard output and error.
int run_ctl(const CtlCommand& command);

}  // namespace penstock::cli
