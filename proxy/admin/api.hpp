#pragma once
// What the admin pages show and may ask for: the window between HTTP and the running proxy.
//
// Owner    whoever implements it; it outlives the AdminServer. Thread: control.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "base/page_pieces.hpp"
#include "base/result.hpp"
#include "upstream/endpoint_state.hpp"

namespace penstock::admin {

// What `explain` asks: which endpoints a connection would meet.
struct ExplainQuestion {
  std::string listener;
  std::string source;  // IP or IP:PORT; empty: any client
};
// The answer in JSON, or the sentence about what is wrong with the question. Nothing is worked out
// before the first piece is written.
using Explained = base::SentenceOr<base::PagePieces>;

// The pages that may be large: as many rows as the configuration has.
enum class PageName : std::uint8_t {
  metrics,
  status,
  listeners,
  upstreams,
  numa,
  budget,
  config_yaml,
  config_json
};
inline constexpr std::size_t page_names_count = 8;
static_assert(static_cast<std::size_t>(PageName::config_json) + 1 == page_names_count);

// What became of the connections that a drain found or let in.
struct DrainEnd {
  std::uint64_t drained = 0;  // ended, by themselves or by a FIN
  std::uint64_t cut = 0;      // reset at its end
};

class AdminView {
 public:
  virtual ~AdminView() = default;

  // Empty where all is well, else the reason in words.
  virtual std::string unhealthy_because() = 0;
  virtual std::string not_ready_because() = 0;

  virtual base::PagePieces page(PageName name) = 0;

  virtual Explained explain(const ExplainQuestion& question) = 0;

  virtual void drain() = 0;  // as SIGTERM; once it runs, nothing more happens
  // Calls `told` when the drain has ended, as the last thing before the process does.
  virtual void at_end_of_drain(std::function<void(const DrainEnd&)> told) = 0;
  // False where there is no such endpoint.
  virtual bool set_override(const std::string& upstream, const std::string& endpoint,
                            upstream::Override said) = 0;
};

}  // namespace penstock::admin
