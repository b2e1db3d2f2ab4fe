#include "control/metrics.hpp"

#include <prometheus/collectable.h>
#include <prometheus/text_serializer.h>

#include "control/metrics_parts.hpp"

namespace penstock::control {

namespace {

class Collection final : public prometheus::Collectable {
 public:
  explicit Collection(const MetricsInput& input) : input_{input} {}
  Families Collect() const override {
    Families families;
    add_connection_metrics(input_, families);
    add_upstream_metrics(input_, families);
    add_relay_metrics(input_, families);
    add_process_metrics(input_, families);
    return families;
  }

 private:
  const MetricsInput& input_;
};

}  // namespace

MetricsInput metrics_input(const runtime::Server& server) {
  MetricsInput input;
  for (const auto& listener : server.listeners())
    input.listeners.push_back({.name = listener->options.name,
                               .active = listener->active.load(std::memory_order_relaxed)});
  input.forwarders = server.forwarders();
  for (const auto& cluster : server.upstreams().clusters())
    input.upstreams.push_back(cluster.get());
  return input;
}

std::string metrics_text(const MetricsInput& input) {
  const prometheus::TextSerializer serializer;
  return static_cast<const prometheus::Serializer&>(serializer)
      .Serialize(Collection{input}.Collect());
}

}  // namespace penstock::control
