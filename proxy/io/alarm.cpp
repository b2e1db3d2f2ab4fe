#include "io/alarm.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

namespace penstock::io {

struct Alarm::Timer {
  explicit Timer(boost::asio::io_context& io) : timer{io} {}
  boost::asio::steady_timer timer;
};

Alarm::Alarm(boost::asio::io_context& io) : timer_{std::make_unique<Timer>(io)} {}

Alarm::~Alarm() = default;

void Alarm::set(base::Duration after, std::function<void()> ring) {
  timer_->timer.expires_after(after);
  timer_->timer.async_wait([ring = std::move(ring)](const boost::system::error_code& error) {
    if (!error) ring();
  });
}

void Alarm::cancel() {
  timer_->timer.cancel();
}

void call_later(boost::asio::io_context& io, std::function<void()> call) {
  boost::asio::post(io, std::move(call));
}

}  // namespace penstock::io
