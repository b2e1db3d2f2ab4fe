#pragma once
// What the admin pages show and may ask for: the window between HTTP and the running proxy.
//
// Owner    whoever implements it; it outlives the AdminServer. Thread: control.

#include <boost/json/fwd.hpp>
#include <boost/system/result.hpp>
#include <string>

#include "upstream/endpoint_state.hpp"

namespace penstock::control {

// What `explain` asks: which endpoints a connection would meet.
struct ExplainQuestion {
  std::string listener;
  std::string source;  // IP or IP:PORT; empty: any client
};
// The answer, or the sentence about what is wrong with the question.
using Explained = boost::system::result<boost::json::object, std::string>;

class AdminView {
 public:
  virtual ~AdminView() = default;

  // Empty where all is well, else the reason in words.
  virtual std::string unhealthy_because() = 0;
  virtual std::string not_ready_because() = 0;

  virtual std::string metrics() = 0;  // Prometheus text
  virtual boost::json::value status() = 0;
  virtual boost::json::value listeners() = 0;
  virtual boost::json::value upstreams() = 0;
  virtual boost::json::value numa() = 0;

  virtual Explained explain(const ExplainQuestion& question) = 0;

  virtual void drain() = 0;  // as SIGTERM; once it runs, nothing more happens
  // False where there is no such endpoint.
  virtual bool set_override(const std::string& upstream, const std::string& endpoint,
                            upstream::Override said) = 0;
};

}  // namespace penstock::control
