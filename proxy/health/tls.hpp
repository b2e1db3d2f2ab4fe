#pragma once
// TLS handshakes of health checks. The one place that knows OpenSSL.
//
// TLS 1.2 or later; no certificate is verified, none is shown. With TLS 1.3 an endpoint that
// demands a certificate says so only after the handshake, and passes.
//
// Owner    the HealthWatch. Thread: that of the io_context.

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>

#include "base/result.hpp"

namespace boost::asio::ssl {
class context;
}

namespace penstock::health {

class HealthLink;

class HealthTls {
 public:
  HealthTls();
  ~HealthTls();
  HealthTls(const HealthTls&) = delete;
  HealthTls& operator=(const HealthTls&) = delete;

  // Over a link that stands. `sni` may be empty.
  boost::asio::awaitable<base::ErrorCode> shake_hands(HealthLink& link, const std::string& sni);

 private:
  // Made when it is first needed: who checks no TLS does not pay for OpenSSL.
  std::unique_ptr<boost::asio::ssl::context> context_;
};

}  // namespace penstock::health
