// TLS checks against servers of their own, made with OpenSSL as an endpoint would.

#include <openssl/ssl.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <csignal>

#include "catch.hpp"
#include "health/check.hpp"
#include "health/link.hpp"
#include "health/peer.hpp"
#include "health/tls.hpp"

using namespace penstock;
using testing::Peer;
using upstream::CheckOutcome;
using upstream::CheckResult;

namespace {

// A context with a fresh key and a certificate that nobody signed but itself.
class Server {
 public:
  explicit Server(int newest_version) {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes tickets to a client that is gone
    EVP_PKEY* const key = EVP_EC_gen("P-256");
    X509* const certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_sign(certificate, key, EVP_sha256());
    SSL_CTX_set_security_level(context_, 0);  // for what is older than 1.2
    SSL_CTX_set_min_proto_version(context_, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_, newest_version);
    SSL_CTX_use_certificate(context_, certificate);
    SSL_CTX_use_PrivateKey(context_, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() { SSL_CTX_free(context_); }

  // One handshake, blocking; the name that the client asked for.
  std::string serve(int socket) const {
    SSL* const session = SSL_new(context_);
    SSL_set_fd(session, socket);
    int done = SSL_accept(session);
    while (done <= 0 && SSL_get_error(session, done) == SSL_ERROR_WANT_READ &&
           testing::await_events(socket, POLLIN))
      done = SSL_accept(session);
    const char* const name = SSL_get_servername(session, TLSEXT_NAMETYPE_host_name);
    std::string asked_for = name == nullptr ? "none" : name;
    SSL_free(session);
    return asked_for;
  }

 private:
  SSL_CTX* context_ = SSL_CTX_new(TLS_server_method());
};

CheckOutcome check(const os::SocketAddress& address, const std::string& sni) {
  upstream::HealthSpec spec;
  spec.type = upstream::CheckType::tls;
  spec.timeout = std::chrono::seconds{4};
  spec.sni = sni;
  boost::asio::io_context io;
  health::HealthTls tls;
  CheckOutcome outcome{CheckResult::other, "the check did not end"};
  boost::asio::co_spawn(
      io,
      health::check_health(std::make_shared<health::HealthLink>(io.get_executor()),
                           std::make_shared<const upstream::HealthSpec>(spec), address, tls),
      [&](const std::exception_ptr&, CheckOutcome ended) { outcome = std::move(ended); });
  io.run();
  return outcome;
}

}  // namespace

TEST_CASE("a handshake that ends well passes, whoever signed the certificate", "[health]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const Server server{version};
  std::string asked_for;
  {
    const Peer peer{[&](int socket) { asked_for = server.serve(socket); }};
    const CheckOutcome outcome = check(peer.address(), "app.example");
    CHECK(outcome.result == CheckResult::passed);
    CHECK(outcome.why == "the TLS handshake ended well");
  }
  CHECK(asked_for == "app.example");
}

TEST_CASE("without sni no name is asked for", "[health]") {
  const Server server{TLS1_3_VERSION};
  std::string asked_for;
  {
    const Peer peer{[&](int socket) { asked_for = server.serve(socket); }};
    CHECK(check(peer.address(), "").result == CheckResult::passed);
  }
  CHECK(asked_for == "none");
}

TEST_CASE("an endpoint that knows nothing newer than TLS 1.1 fails", "[health]") {
  const Server server{TLS1_1_VERSION};
  const Peer peer{[&](int socket) { server.serve(socket); }};
  const CheckOutcome outcome = check(peer.address(), "");
  CHECK(outcome.result == CheckResult::tls_failed);
  CHECK(outcome.why.starts_with("TLS: "));
}

TEST_CASE("an endpoint that speaks no TLS fails", "[health]") {
  const Peer peer{[](int socket) {
    testing::read_some(socket);
    testing::send_all(socket, "HTTP/1.1 400 Bad Request\r\n\r\n");
  }};
  CHECK(check(peer.address(), "").result == CheckResult::tls_failed);
}

TEST_CASE("an endpoint that closes during the handshake fails", "[health]") {
  const Peer peer{[](int socket) { testing::read_some(socket); }};
  const CheckOutcome outcome = check(peer.address(), "");
  CHECK(outcome.result == CheckResult::tls_failed);
  CHECK(outcome.why == "TLS: closed during the handshake");
}
