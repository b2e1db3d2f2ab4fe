#pragma once
// The connection of one health check: an Asio socket that closes itself when time is up.
//
// Closing, rather than cancelling, is what bounds the whole check: whatever is under way ends, and
// whatever would be tried next fails at once.
//
// A link ends by an ordinary close. An RST would spare us TIME_WAIT, but it is what a client that
// died looks like, and endpoints log it; a port that rests for a minute costs less: an endpoint
// that is checked every 2 s holds 30 of the 28,232.
//
// Owner    the check that runs, by shared_ptr: a late timer must find it gone or whole.
// Thread   that of the io_context.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"
#include "os/address.hpp"

namespace penstock::health {

class HealthLink : public std::enable_shared_from_this<HealthLink> {
 public:
  struct Parts;  // health/link_parts.hpp

  explicit HealthLink(const boost::asio::any_io_executor& executor);
  HealthLink(const HealthLink&) = delete;
  HealthLink& operator=(const HealthLink&) = delete;
  ~HealthLink();

  // Connects; `timeout` runs from here to the end of the link. A TCP socket that reached itself was
  // refused.
  boost::asio::awaitable<base::ErrorCode> connect(os::SocketAddress address,
                                                  std::optional<os::IpEndpoint> source,
                                                  base::Duration timeout);
  boost::asio::awaitable<base::ErrorCode> send(std::string_view bytes);
  // Appends what comes, at least a byte.
  boost::asio::awaitable<base::ErrorCode> receive(std::string& into);

  Parts& parts() noexcept { return *parts_; }
  bool expired() const noexcept { return expired_; }
  void close() noexcept;

 private:
  void arm(base::Duration timeout);

  const std::unique_ptr<Parts> parts_;
  bool expired_ = false;
};

}  // namespace penstock::health
