#include "health/link.hpp"

#include <boost/asio/write.hpp>
#include <cstddef>
#include <tuple>

#include "health/link_parts.hpp"
#include "io/as_result.hpp"
#include "io/protocol.hpp"
#include "os/fd.hpp"
#include "os/socket.hpp"

namespace penstock::health {

namespace {

namespace asio = boost::asio;
constexpr std::size_t read_bytes_max = 4096;

}  // namespace

HealthLink::HealthLink(const asio::any_io_executor& executor)
    : parts_{std::make_unique<Parts>(executor)} {}

HealthLink::~HealthLink() = default;

void HealthLink::arm(base::Duration timeout) {
  parts_->timer.expires_after(timeout);
  parts_->timer.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    const auto link = weak.lock();
    if (error || !link) return;
    link->expired_ = true;
    link->close();
  });
}

void HealthLink::close() noexcept {
  boost::system::error_code ignored;
  parts_->socket.close(ignored);
}

asio::awaitable<base::ErrorCode> HealthLink::connect(os::SocketAddress address,
                                                     std::optional<os::IpEndpoint> source,
                                                     base::Duration timeout) {
  arm(timeout);
  os::SocketOptions options;
  options.keepalive.idle = base::Duration{0};
  base::Result<os::Fd> opened = os::connect_to(address, options, source);
  if (!opened) co_return opened.error();
  base::ErrorCode error;
  parts_->socket.assign(io::protocol_of(address), opened->get(), error);
  if (error) co_return error;
  const int descriptor = opened->release();
  std::tie(error) = co_await parts_->socket.async_wait(Parts::Socket::wait_write, io::as_result);
  if (error) co_return error;
  const int result = os::connect_result(descriptor, address);
  if (!address.is_unix()) os::send_at_once(descriptor);  // a check may have several steps
  co_return result == 0 ? base::ErrorCode{} : base::error_from(result);
}

asio::awaitable<base::ErrorCode> HealthLink::send(std::string_view bytes) {
  const auto [error, sent] = co_await asio::async_write(
      parts_->socket, asio::buffer(bytes.data(), bytes.size()), io::as_result);
  co_return error;
}

asio::awaitable<base::ErrorCode> HealthLink::receive(std::string& into) {
  const std::size_t before = into.size();
  into.resize(before + read_bytes_max);
  const auto [error, received] = co_await parts_->socket.async_read_some(
      asio::buffer(into.data() + before, read_bytes_max), io::as_result);
  into.resize(before + received);
  co_return error;
}

}  // namespace penstock::health
