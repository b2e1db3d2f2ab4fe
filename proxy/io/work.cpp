#include "io/work.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <utility>

#include "io/control_watch.hpp"
#include "os/clock.hpp"

namespace penstock::io {

void EndIo::operator()(boost::asio::io_context* io) const {
  delete io;
}

OwnedIo make_io() {
  return OwnedIo{new boost::asio::io_context{1}};
}

void run_work(boost::asio::io_context& io, ControlWatch& watch) {
  while (!io.stopped()) {
    const base::Instant begun = os::now();
    if (io.poll_one() > 0) {
      watch.called(os::now() - begun);
      continue;
    }
    const base::Duration used = os::thread_cpu_time();
    if (io.run_one() == 0) return;
    watch.called(os::thread_cpu_time() - used);
  }
}

void run_one_call(boost::asio::io_context& io, base::Duration patience) {
  io.run_one_for(patience);
}

void stop_work(boost::asio::io_context& io) {
  io.stop();
}

struct ReadableWatch::Descriptor {
  explicit Descriptor(boost::asio::io_context& io) : descriptor{io} {}
  boost::asio::posix::stream_descriptor descriptor;
};

ReadableWatch::ReadableWatch(boost::asio::io_context& io)
    : descriptor_{std::make_unique<Descriptor>(io)} {}

ReadableWatch::~ReadableWatch() {
  if (is_open()) descriptor_->descriptor.release();
}

boost::system::error_code ReadableWatch::open(int descriptor) {
  boost::system::error_code refused;
  static_cast<void>(descriptor_->descriptor.assign(descriptor, refused));
  return refused;
}

bool ReadableWatch::is_open() const {
  return descriptor_->descriptor.is_open();
}

void ReadableWatch::wait(std::function<void()> readable) {
  descriptor_->descriptor.async_wait(
      boost::asio::posix::stream_descriptor::wait_read,
      [readable = std::move(readable)](const boost::system::error_code& error) {
        if (!error) readable();
      });
}

void ReadableWatch::cancel() {
  descriptor_->descriptor.cancel();
}

}  // namespace penstock::io
