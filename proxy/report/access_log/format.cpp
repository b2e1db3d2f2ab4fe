#include "report/access_log/format.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "report/access_log/line.hpp"
#include "session/counters.hpp"
#include "upstream/live_record.hpp"

namespace penstock::report {

namespace {

using session::Record;

struct Share {
  std::uint64_t bytes;
  std::string_view engine;
};
constexpr std::size_t shares_max = relay::engine_names.size() + 1;  // and sendfile

// The engines that moved bytes in one direction, and how many.
std::array<Share, shares_max> shares_of(const Record& record, std::size_t direction) {
  std::array<Share, shares_max> shares{};
  for (std::size_t engine = 0; engine < relay::engine_names.size(); ++engine)
    shares[engine] = {record.bytes[direction][engine], relay::engine_names.names[engine]};
  const bool has_sendfile = direction == session::to_client;
  shares.back() = {has_sendfile ? record.sent_by_sendfile : 0, "sendfile"};
  return shares;
}

std::uint64_t bytes_of(const Record& record, std::size_t direction) {
  std::uint64_t sum = 0;
  for (const Share& share : shares_of(record, direction)) sum += share.bytes;
  return sum;
}

// Most bytes first.
void put_engines(LogLine& line, std::string_view key, const Record& record, std::size_t direction) {
  auto shares = shares_of(record, direction);
  std::stable_sort(shares.begin(), shares.end(),
                   [](const Share& a, const Share& b) { return a.bytes > b.bytes; });
  std::array<std::string_view, shares_max> engines;
  std::size_t count = 0;
  for (const Share& share : shares)
    if (share.bytes > 0) engines[count++] = share.engine;
  line.words(key, {engines.data(), count});
}

void put_head(LogLine& line, const Record& record, const ListenerNames& names) {
  const bool is_open = record.event == Record::Event::open;
  line.word("time", format_time(record.wall_nanoseconds));
  line.word("event", is_open ? "open" : "close");
  line.number("id", record.id);
  line.word("listener", names.listener);
  line.word("client", record.client.to_string());
  if (record.local.family != os::IpEndpoint::Family::none)
    line.word("local", record.local.to_string());
}

void put_tried(LogLine& line, const Record& record) {
  std::array<std::string_view, Record::tried_max> identities;
  std::size_t count = 0;
  for (const auto* endpoint : record.tried)
    if (endpoint != nullptr) identities[count++] = endpoint->identity;
  line.words("tried", {identities.data(), count});
}

void put_upstream(LogLine& line, const Record& record, const ListenerNames& names) {
  if (record.is_static) return;
  const auto* endpoint = record.endpoint;
  line.word("upstream", endpoint != nullptr ? endpoint->upstream : names.upstream);
  if (endpoint != nullptr) line.word("endpoint", endpoint->identity);
  line.number("attempts", record.attempts);
  if (!record.connect_error.empty()) line.word("connect_error", record.connect_error);
  put_tried(line, record);
}

void put_bytes(LogLine& line, const Record& record) {
  if (!record.is_static) line.number("bytes_to_upstream", bytes_of(record, session::to_upstream));
  line.number("bytes_to_client", bytes_of(record, session::to_client));
  if (!record.is_static) put_engines(line, "relay_to_upstream", record, session::to_upstream);
  put_engines(line, "relay_to_client", record, session::to_client);
}

void put_times(LogLine& line, const Record& record) {
  const auto put = [&](std::string_view key, base::Duration value) {
    if (value != Record::unknown) line.milliseconds(key, value);
  };
  put("connect_ms", record.connect);
  put("first_byte_ms", record.first_byte);
  put("duration_ms", record.duration);
}

void put_end(LogLine& line, const Record& record) {
  line.word("reason", session::close_reason_names[record.reason]);
  line.flag("truncated", record.truncated_to_upstream || record.truncated_to_client);
  line.number("unacked_at_close", record.unacked_at_close);
  if (record.client_rtt != Record::unknown) line.microseconds("client_rtt_us", record.client_rtt);
  if (record.upstream_rtt != Record::unknown)
    line.microseconds("upstream_rtt_us", record.upstream_rtt);
  line.number("retransmits", record.retransmits);
}

}  // namespace

std::string format_time(std::int64_t wall_nanoseconds) {
  const std::int64_t seconds = wall_nanoseconds / 1'000'000'000;
  const std::int64_t microseconds = wall_nanoseconds / 1'000 % 1'000'000;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", fmt::gmtime(seconds), microseconds);
}

std::string format_record(const Record& record, const ListenerNames& names, LogFormat format) {
  LogLine line{format};
  put_head(line, record, names);
  if (record.event == Record::Event::close) {
    put_upstream(line, record, names);
    put_bytes(line, record);
    put_times(line, record);
    put_end(line, record);
  }
  line.number("forwarder", record.forwarder);
  line.number("node", record.node);
  return line.take();
}

}  // namespace penstock::report
