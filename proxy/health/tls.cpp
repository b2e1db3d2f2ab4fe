#include "health/tls.hpp"

#include <openssl/ssl.h>

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "health/link.hpp"
#include "health/link_parts.hpp"
#include "health/tls_errors.hpp"
#include "io/as_result.hpp"

namespace penstock::health {

namespace {

namespace asio = boost::asio;

std::unique_ptr<asio::ssl::context> new_context() {
  auto context = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  context->set_verify_mode(asio::ssl::verify_none);
  return context;
}

}  // namespace

HealthTls::HealthTls() = default;
HealthTls::~HealthTls() = default;

asio::awaitable<base::ErrorCode> HealthTls::shake_hands(HealthLink& link, const std::string& sni) {
  if (!context_) context_ = new_context();
  asio::ssl::stream<HealthLink::Parts::Socket&> stream{link.parts().socket, *context_};
  if (!sni.empty()) SSL_set_tlsext_host_name(stream.native_handle(), sni.c_str());
  const auto [error] =
      co_await stream.async_handshake(asio::ssl::stream_base::client, io::as_result);
  co_return error;
}

bool is_of_tls(const base::ErrorCode& error) noexcept {
  return error.category() == asio::error::get_ssl_category() ||
         error.category() == asio::ssl::error::get_stream_category();
}

bool is_cut_short(const base::ErrorCode& error) noexcept {
  return error == asio::ssl::error::stream_truncated;
}

}  // namespace penstock::health
