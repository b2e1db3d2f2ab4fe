#include "control/metrics_parts.hpp"
#include "session/counters.hpp"
#include "upstream/live_record.hpp"

namespace penstock::control {

namespace {

using runtime::ForwarderView;

template <class Add>
void for_each_endpoint(const MetricsInput& input, Add&& add) {
  for (const auto& upstream : input.upstreams)
    for (const auto& endpoint : upstream.endpoints)
      add(endpoint, Labels{{"upstream", upstream.name}, {"endpoint", endpoint.live->identity}});
}

void add_endpoint_gauges(const MetricsInput& input, Families& families) {
  Family active{families, Family::Kind::gauge, "penstock_upstream_connections_active",
                "Connections to an endpoint, attempts under way included."};
  for_each_endpoint(input, [&](const auto& endpoint, Labels labels) {
    active.add(std::move(labels),
               static_cast<double>(endpoint.live->active.load(std::memory_order_relaxed)));
  });
  Family up{families, Family::Kind::gauge, "penstock_endpoint_up",
            "1 where an endpoint gets new connections, or would if those before it failed."};
  for_each_endpoint(input, [&](const auto& endpoint, Labels labels) {
    up.add(std::move(labels), endpoint.is_up ? 1.0 : 0.0);
  });
}

void add_ejections(const MetricsInput& input, Families& families) {
  Family ejections{families, Family::Kind::counter, "penstock_endpoint_ejections_total",
                   "Times that an endpoint was ejected for failing too often in a row."};
  for_each_endpoint(input, [&](const auto& endpoint, Labels labels) {
    ejections.add(std::move(labels), endpoint.live->ejections.load(std::memory_order_relaxed));
  });
}

void add_health_checks(const MetricsInput& input, Families& families) {
  Family checks{families, Family::Kind::counter, "penstock_health_checks_total",
                "Active health checks, by result."};
  for (const auto& upstream : input.upstreams)
    for (const auto& endpoint : upstream.endpoints)
      for (std::size_t result = 0;
           upstream.is_checked && result < upstream::check_result_names.size(); ++result)
        checks.add({{"upstream", upstream.name},
                    {"endpoint", endpoint.live->identity},
                    {"result", std::string{upstream::check_result_names.names[result]}}},
                   endpoint.live->control.checks[result]);
}

void add_resolutions(const MetricsInput& input, Families& families) {
  Family resolutions{families, Family::Kind::counter, "penstock_dns_resolutions_total",
                     "Resolutions of DNS sources, by result."};
  for (const auto& [upstream, counts] : input.dns)
    for (std::size_t result = 0; result < counts.size(); ++result)
      resolutions.add({{"upstream", upstream},
                       {"result", std::string{upstream::dns_result_names.names[result]}}},
                      counts[result]);
}

void add_connect_failures(const MetricsInput& input, Families& families) {
  Family failures{families, Family::Kind::counter, "penstock_upstream_connect_failures_total",
                  "Attempts to connect that failed, by reason."};
  for_each_endpoint(input, [&](const auto& endpoint, const Labels& labels) {
    for (std::size_t reason = 0; reason < upstream::connect_failure_names.size(); ++reason) {
      Labels with_reason = labels;
      with_reason.push_back({"reason", std::string{upstream::connect_failure_names.names[reason]}});
      failures.add(std::move(with_reason),
                   endpoint.live->failures[reason].load(std::memory_order_relaxed));
    }
  });
}

}  // namespace

void add_upstream_metrics(const MetricsInput& input, Families& families) {
  add_endpoint_gauges(input, families);
  add_connect_failures(input, families);
  add_ejections(input, families);
  add_health_checks(input, families);
  add_resolutions(input, families);
  Family queue{families, Family::Kind::gauge, "penstock_upstream_queue_length",
               "Connections that wait for a free place at an endpoint."};
  for (const auto& upstream : input.upstreams)
    queue.add({{"upstream", upstream.name}}, static_cast<double>(upstream.queue_length));
  Family connect{families, Family::Kind::histogram, "penstock_upstream_connect_seconds",
                 "Time of successful attempts to connect."};
  for (std::size_t i = 0; i < input.upstreams.size(); ++i)
    connect.add({{"upstream", input.upstreams[i].name}},
                histogram_over_forwarders(
                    input, [&](const ForwarderView& view) -> auto& {
                      return view.sessions.upstreams[i].connect;
                    }));
  Family retries{families, Family::Kind::counter, "penstock_upstream_retries_total",
                 "Attempts to connect after a first one had failed."};
  for (std::size_t i = 0; i < input.upstreams.size(); ++i)
    retries.add({{"upstream", input.upstreams[i].name}},
                sum_over_forwarders(
                    input, [&](const ForwarderView& view) -> auto& {
                      return view.sessions.upstreams[i].retries;
                    }));
}

}  // namespace penstock::control
