#pragma once
// A proxy that does not run, for questions to it: two listeners, an upstream of each kind of
// balancer.

#include <memory>
#include <vector>

#include "admin/api.hpp"
#include "config/config.hpp"
#include "fuzz/fuzz.hpp"
#include "report/explain.hpp"
#include "upstream/registry.hpp"

namespace penstock::fuzz {

class Rig {
 public:
  Rig()
      : loaded_{config::load_config_text(
            "listeners:\n"
            "  - {name: web, bind: '127.0.0.1:1', upstream: app}\n"
            "  - {name: api, bind: '127.0.0.1:2', upstream: hashed}\n"
            "upstreams:\n"
            "  app: {endpoints: ['10.0.0.1:80', {address: '10.0.0.2:80', name: blue}]}\n"
            "  hashed: {balance: source_hash, endpoints: ['10.0.0.1:80', '10.0.0.2:80']}\n",
            "f.yaml", false)} {
    require(loaded_.config.has_value(), "the rig stands");
    registry_ =
        std::make_unique<upstream::Registry>(loaded_.config->server.upstreams, base::Instant{});
    for (const auto& listener : loaded_.config->server.listeners)
      listeners_.push_back(&listener.session);
  }

  admin::Explained explain(const admin::ExplainQuestion& question) const {
    return report::explain_json(question.listener, question.source, listeners_, *registry_);
  }

 private:
  config::LoadedConfig loaded_;
  std::unique_ptr<upstream::Registry> registry_;
  std::vector<const session::ListenerOptions*> listeners_;
};

}  // namespace penstock::fuzz
