#include <algorithm>
#include <deque>
#include <sstream>

#include "base/version.hpp"
#include "catch.hpp"
#include "relay/counters.hpp"
#include "report/metrics/family.hpp"
#include "report/metrics/metrics.hpp"
#include "runtime/round_times.hpp"
#include "session/counters.hpp"
#include "upstream/live_record.hpp"

using namespace penstock;
using namespace std::chrono_literals;
using report::metrics_text;
using report::MetricsInput;

namespace {

// Two forwarders that count by hand, one listener and one upstream with two endpoints.
struct Rig {
  std::array<relay::Counters, 2> relay;
  std::array<runtime::RoundTimes, 2> rounds;
  session::Counters first{1, 1};
  session::Counters second{1, 1};
  upstream::LiveRecord blue{1, "app", "blue", {}};
  upstream::LiveRecord green{2, "app", "10.0.0.2:80", {}};

  MetricsInput input() const {
    MetricsInput input;
    input.listeners.push_back({.name = "we\"b", .active = 2});
    input.forwarders.push_back({0, 0, 3, relay[0], first, rounds[0], {}, nullptr, {}});
    input.forwarders.push_back({1, 1, -1, relay[1], second, rounds[1], {}, nullptr, {}});
    input.busy_ratios = {0.25, 0.5};
    input.upstreams.push_back(
        {.name = "app", .queue_length = 3, .endpoints = {{&blue, true}, {&green, false}}});
    return input;
  }
};

// The value of one series, given as it stands in the text; "" where there is none.
std::string value_of(const std::string& text, const std::string& series) {
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(series + ' ')) return line.substr(series.size() + 1);
  return "";
}

}  // namespace

TEST_CASE("counters of all forwarders are added up", "[report]") {
  Rig rig;
  rig.first.listeners[0].accepted.add(5);
  rig.second.listeners[0].accepted.add(7);
  rig.second.listeners[0].bytes[session::to_client].add(1'234'567'890'123);
  const std::string text = metrics_text(rig.input());
  CHECK(value_of(text, R"(penstock_connections_accepted_total{listener="we\"b"})") == "12");
  CHECK(value_of(text, R"(penstock_connections_active{listener="we\"b"})") == "2");
  CHECK(value_of(text, R"(penstock_bytes_total{listener="we\"b",direction="to_client"})") ==
        "1234567890123");
}

TEST_CASE("a family of many rows is written in bounded pieces, its head once", "[report]") {
  base::PagePieces pieces;
  report::add_pieces(pieces, {.kind = report::Family::Kind::gauge,
                              .name = "rows",
                              .help = "Rows.",
                              .rows = 1000,
                              .add = [](report::Family& family, std::size_t row) {
                                family.add({{"row", std::to_string(row)}}, 0.5);
                              }});
  CHECK(pieces.size() == 1 + (1000 + base::rows_per_piece - 1) / base::rows_per_piece);
  std::size_t lines = 0;
  for (const base::PagePiece& piece : pieces) {
    std::string text;
    piece(text);
    const auto own = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    CHECK(own <= base::rows_per_piece);
    lines += own;
  }
  CHECK(lines == 1002);
  CHECK(value_of(base::text_of(pieces), R"(rows{row="999"})") == "0.5");
}

TEST_CASE("a label's value cannot leave its quotes", "[report]") {
  std::string text;
  report::Family{text, "x"}.add({{"name", "a\\b\"c\nd"}}, std::uint64_t{1});
  CHECK(text == "x{name=\"a\\\\b\\\"c\\nd\"} 1\n");
}

TEST_CASE("every reason of every listener has its series from the start", "[report]") {
  const Rig rig;
  const std::string text = metrics_text(rig.input());
  for (const auto reason : session::close_reason_names.names) {
    CAPTURE(reason);
    CHECK(value_of(text, R"(penstock_connections_closed_total{listener="we\"b",reason=")" +
                             std::string{reason} + "\"}") == "0");
  }
  for (const auto reason : upstream::connect_failure_names.names)
    CHECK(value_of(text, R"(penstock_upstream_connect_failures_total{upstream="app",)"
                         R"(endpoint="blue",reason=")" +
                             std::string{reason} + "\"}") == "0");
}

TEST_CASE("a histogram's buckets are cumulative and end with +Inf", "[report]") {
  Rig rig;
  rig.first.listeners[0].duration.record(2ms);
  rig.second.listeners[0].duration.record(50ms);
  rig.second.listeners[0].duration.record(2h);
  const std::string text = metrics_text(rig.input());
  const std::string name = R"(penstock_connection_duration_seconds)";
  const auto bucket = [&](const std::string& bound) {
    return value_of(text, name + R"(_bucket{listener="we\"b",le=")" + bound + "\"}");
  };
  CHECK(bucket("0.0003") == "0");
  CHECK(bucket("0.003") == "1");
  CHECK(bucket("0.1") == "2");
  CHECK(bucket("3600") == "2");
  CHECK(bucket("+Inf") == "3");
  CHECK(value_of(text, name + R"(_count{listener="we\"b"})") == "3");
  CHECK(std::stod(value_of(text, name + R"(_sum{listener="we\"b"})")) == Approx(7200.052));
}

TEST_CASE("an endpoint that takes no new connections is not up", "[report]") {
  Rig rig;
  rig.blue.active = 4;
  const std::string text = metrics_text(rig.input());
  CHECK(value_of(text, R"(penstock_endpoint_up{upstream="app",endpoint="blue"})") == "1");
  CHECK(value_of(text, R"(penstock_endpoint_up{upstream="app",endpoint="10.0.0.2:80"})") == "0");
  CHECK(value_of(text, R"(penstock_upstream_connections_active{upstream="app",endpoint="blue"})") ==
        "4");
}

TEST_CASE("beyond a thousand endpoints the rest of an upstream is one series of sums", "[report]") {
  const Rig rig;
  std::deque<upstream::LiveRecord> records;
  MetricsInput input = rig.input();
  input.upstreams.front().endpoints.clear();
  input.upstreams.front().is_checked = true;
  for (std::uint32_t i = 0; i < MetricsInput::endpoint_series_max + 3; ++i) {
    auto& record = records.emplace_back(i, "app", "e" + std::to_string(i), os::SocketAddress{});
    record.active = i;
    record.failures[0] = 2;
    record.ejections = 3;
    record.control.checks[1] = 4;
    input.upstreams.front().endpoints.push_back({&record, i % 2 == 0});
  }
  const auto value = [text = metrics_text(input)](const std::string& name, const std::string& of,
                                                  const std::string& label = "") {
    return value_of(text, name + R"({upstream="app",endpoint=")" + of + '"' + label + '}');
  };
  CHECK(value("penstock_upstream_connections_active", "e999") == "999");
  CHECK(value("penstock_upstream_connections_active", "e1000").empty());
  CHECK(value("penstock_upstream_connections_active", "other") == "3003");
  CHECK(value("penstock_endpoint_up", "other") == "2");
  CHECK(value("penstock_upstream_connect_failures_total", "other", R"(,reason="refused")") == "6");
  CHECK(value("penstock_endpoint_ejections_total", "other") == "9");
  CHECK(value("penstock_health_checks_total", "other", R"(,result="refused")") == "12");
}

TEST_CASE("engines, pipes and busy ratios bear their labels", "[report]") {
  Rig rig;
  rig.relay[1].moved(relay::Engine::splice, 42);
  rig.relay[0].switched(relay::Switch::small_chunks);
  rig.relay[0].fell_back(relay::Fallback::small_pipe);
  rig.relay[0].pipes_idle.set(3);
  rig.first.sendfile_bytes.add(9);
  rig.rounds[1].begin(base::Instant{std::chrono::hours{1}});
  rig.rounds[1].end(base::Instant{std::chrono::hours{2}});
  const std::string text = metrics_text(rig.input());
  CHECK(value_of(text, R"(penstock_relay_bytes_total{forwarder="1",engine="splice"})") == "42");
  CHECK(value_of(text, R"(penstock_relay_bytes_total{forwarder="0",engine="sendfile"})") == "9");
  CHECK(value_of(text, R"(penstock_relay_engine_switches_total{from="splice",to="copy",)"
                       R"(reason="small_chunks"})") == "1");
  CHECK(value_of(text, R"(penstock_pipe_fallbacks_total{reason="small_pipe"})") == "1");
  CHECK(value_of(text, R"(penstock_pipes{state="idle"})") == "3");
  CHECK(value_of(text, R"(penstock_forwarder_busy_ratio{forwarder="0",node="0",cpu="3"})") ==
        "0.25");
  CHECK(value_of(text, R"(penstock_forwarder_busy_ratio{forwarder="1",node="1",cpu="any"})") ==
        "0.5");
  CHECK(value_of(text, R"(penstock_forwarder_blocked_total{forwarder="0"})") == "0");
  CHECK(value_of(text, R"(penstock_forwarder_blocked_total{forwarder="1"})") == "1");
  CHECK(value_of(text, "penstock_stalls_detected_total") == "0");
}

TEST_CASE("the share of near arrivals is unknown before the first", "[report]") {
  const Rig rig;
  MetricsInput input = rig.input();
  CHECK(value_of(metrics_text(input), "penstock_numa_local_ratio") == "Nan");
  input.numa_local_ratio = 0.75;
  CHECK(value_of(metrics_text(input), "penstock_numa_local_ratio") == "0.75");
}

TEST_CASE("lines that rings and the log dropped are one number", "[report]") {
  Rig rig;
  rig.first.records_dropped.add(2);
  MetricsInput input = rig.input();
  input.log_lines_dropped = 40;
  CHECK(value_of(metrics_text(input), "penstock_access_log_lines_dropped_total") == "42");
}

TEST_CASE("every family has a help and a type, and every name is one of ours or process_*",
          "[report]") {
  const Rig rig;
  std::istringstream lines{metrics_text(rig.input())};
  std::size_t helps = 0;
  std::size_t types = 0;
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    helps += line.starts_with("# HELP ");
    types += line.starts_with("# TYPE ");
    CHECK(
        (line.starts_with("# ") || line.starts_with("penstock_") || line.starts_with("process_")));
  }
  CHECK(helps == types);
  CHECK(helps == 45);
  CHECK(value_of(metrics_text(rig.input()),
                 "penstock_build_info{version=\"" + std::string{base::version()} + "\"}") == "1");
}
