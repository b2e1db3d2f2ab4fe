#include "control/watch/record_pump.hpp"

#include <boost/system/system_error.hpp>

#include "os/wakeup.hpp"
#include "runtime/server.hpp"
#include "session/record.hpp"
#include "upstream/registry.hpp"

namespace penstock::control {

namespace {

constexpr std::size_t batch_records = 512;
constexpr std::chrono::milliseconds look_interval{20};

}  // namespace

RecordPump::RecordPump(boost::asio::io_context& io, runtime::Server& server, report::AccessLog& log,
                       UpstreamControl& upstreams)
    : io_{io}, server_{server}, log_{log}, upstreams_{upstreams}, bell_{io}, timer_{io} {
  if (const auto refused = bell_.open(server.records_wakeup().descriptor()))
    throw boost::system::system_error{refused, "assign"};
}

void RecordPump::start() {
  pump();
}

void RecordPump::take_all() {
  while (take_batch() == batch_records) {
  }
}

std::size_t RecordPump::take_batch() {
  session::Record record;
  std::size_t taken = 0;
  while (taken < batch_records && server_.take_record(record)) {
    log_.write(record);
    ++taken;
  }
  return taken;
}

void RecordPump::pump() {
  upstreams_.refresh_if_stale();
  const std::size_t taken = take_batch();
  if (taken == batch_records)
    io::call_later(io_, [this] { pump(); });
  else if (taken > 0 || server_.expect_records())
    look_again_later();
  else
    sleep();
}

void RecordPump::look_again_later() {
  timer_.set(look_interval, [this] { pump(); });
}

void RecordPump::sleep() {
  bell_.wait([this] {
    server_.records_wakeup().clear();
    pump();
  });
}

}  // namespace penstock::control
