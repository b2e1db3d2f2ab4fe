#pragma once
// What the admin pages show and may ask for: the window between HTTP and the running proxy.
//
// Owner    whoever implements it; it outlives the AdminServer. Thread: control.

#include <boost/json/value.hpp>
#include <string>

namespace penstock::control {

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

  virtual void drain() = 0;  // as SIGTERM; once it runs, nothing more happens
};

}  // namespace penstock::control
