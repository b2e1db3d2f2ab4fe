#include <boost/json/parse.hpp>

#include "base/text.hpp"
#include "catch.hpp"
#include "report/access_log/format.hpp"
#include "session/counters.hpp"
#include "upstream/live_record.hpp"

using namespace penstock;
using namespace std::chrono_literals;
using report::format_record;
using report::LogFormat;
using session::Record;

namespace {

os::IpEndpoint endpoint(const std::string& text) {
  return os::parse_socket_address(text)->ip();
}

const report::ListenerNames names{.listener = "web", .upstream = "app"};

Record closed_record() {
  Record record;
  record.reason = session::CloseReason::complete;
  record.id = 18'446'744'073'709'551'615U;
  record.wall_nanoseconds = 1'772'366'400'000'123'456;
  record.client = endpoint("203.0.113.7:50123");
  record.local = endpoint("192.0.2.1:8080");
  record.attempts = 1;
  record.bytes[session::to_upstream] = {100, 0};
  record.bytes[session::to_client] = {10, 4000};
  record.connect = 1'234'567ns;
  record.duration = 2500ms;
  record.client_rtt = 1'999ns;
  record.forwarder = 3;
  return record;
}

}  // namespace

TEST_CASE("a closed connection is one JSON object with its keys in the promised order",
          "[report]") {
  upstream::LiveRecord live{1, "app", "blue", {}};
  Record record = closed_record();
  record.endpoint = &live;
  CHECK(format_record(record, names, LogFormat::json) ==
        R"({"time":"2026-03-01T12:00:00.000123Z","event":"close","id":18446744073709551615,)"
        R"("listener":"web","client":"203.0.113.7:50123","local":"192.0.2.1:8080",)"
        R"("upstream":"app","endpoint":"blue","attempts":1,"bytes_to_upstream":100,)"
        R"("bytes_to_client":4010,"relay_to_upstream":["copy"],)"
        R"("relay_to_client":["splice","copy"],"connect_ms":1.235,"duration_ms":2500.000,)"
        R"("reason":"complete","truncated":false,"unacked_at_close":0,"client_rtt_us":1,)"
        R"("retransmits":0,"forwarder":3,"node":0})");
}

TEST_CASE("what failed before a connection stood is told, with everybody who was tried",
          "[report]") {
  upstream::LiveRecord blue{1, "app", "blue", {}};
  upstream::LiveRecord odd{2, "app", "unix:/a b", {}};
  Record record = closed_record();
  record.endpoint = &odd;
  record.attempts = 2;
  record.connect_error = "refused";
  record.tried[0] = &blue;
  record.tried[2] = &odd;  // the one between has left its upstream
  CHECK(format_record(record, names, LogFormat::json)
            .find(R"("endpoint":"unix:/a b","attempts":2,"connect_error":"refused",)"
                  R"("tried":["blue","unix:/a b"],"bytes_to_upstream":100)") != std::string::npos);
  CHECK(format_record(record, names, LogFormat::text)
            .find(R"(attempts=2 connect_error=refused tried="blue,unix:/a b" bytes_to)") !=
        std::string::npos);
}

TEST_CASE("the text form carries the same values as key=value", "[report]") {
  Record record = closed_record();
  record.truncated_to_client = true;
  CHECK(format_record(record, names, LogFormat::text) ==
        "time=2026-03-01T12:00:00.000123Z event=close id=18446744073709551615 listener=web "
        "client=203.0.113.7:50123 local=192.0.2.1:8080 upstream=app attempts=1 "
        "bytes_to_upstream=100 bytes_to_client=4010 relay_to_upstream=copy "
        "relay_to_client=splice,copy connect_ms=1.235 duration_ms=2500.000 reason=complete "
        "truncated=true unacked_at_close=0 client_rtt_us=1 retransmits=0 forwarder=3 node=0");
}

TEST_CASE("an opened connection says only what is known by then", "[report]") {
  Record record = closed_record();
  record.event = Record::Event::open;
  CHECK(format_record(record, names, LogFormat::text) ==
        "time=2026-03-01T12:00:00.000123Z event=open id=18446744073709551615 listener=web "
        "client=203.0.113.7:50123 local=192.0.2.1:8080 forwarder=3 node=0");
}

TEST_CASE("a static connection has no upstream, and sendfile is one of its engines", "[report]") {
  Record record = closed_record();
  record.is_static = true;
  record.bytes = {};
  record.bytes[session::to_client] = {300, 0};
  record.sent_by_sendfile = 5000;
  const std::string line =
      format_record(record, {.listener = "www", .upstream = ""}, LogFormat::text);
  CHECK(line.find("upstream=") == line.npos);
  CHECK(line.find("bytes_to_upstream") == line.npos);
  CHECK(line.find(" bytes_to_client=5300 relay_to_client=sendfile,copy ") != line.npos);
}

TEST_CASE("a value that could be taken for two is quoted in text", "[report]") {
  const auto line_of = [](const std::string& name) {
    return format_record(closed_record(), {.listener = name, .upstream = "u"}, LogFormat::text);
  };
  CHECK(line_of("a b").find(R"( listener="a b" )") != std::string::npos);
  CHECK(line_of("a=b").find(R"( listener="a=b" )") != std::string::npos);
  CHECK(line_of("a\"b").find(R"( listener="a\"b" )") != std::string::npos);
  CHECK(line_of("a\nb").find(R"( listener="a\u000ab" )") != std::string::npos);
  CHECK(line_of("a:b").find(" listener=a:b ") != std::string::npos);
}

TEST_CASE("every byte below 0x80 survives the way through a JSON string", "[report]") {
  std::string all;
  for (char c = 0; c < 127; ++c) all += c;
  all += '\x7f';
  std::string quoted;
  base::append_json_string(quoted, all);
  CHECK(boost::json::parse(quoted).as_string() == all);
}
