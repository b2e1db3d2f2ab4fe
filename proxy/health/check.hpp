#pragma once
// One check of one endpoint, from connecting to the verdict. What each type proves stands in
// upstream/health_spec.hpp.
//
// Limits   spec.timeout for all of it; the first 64 KiB of an answer (base::health_answer_max).
// Thread   that of the io_context.

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>

#include "os/address.hpp"
#include "upstream/health_spec.hpp"

namespace penstock::health {

class HealthLink;
class HealthTls;

// Where the check of an endpoint goes: its own address, with another port where one is stated. The
// port does not concern unix sockets.
os::SocketAddress checked_address(const os::SocketAddress& endpoint,
                                  const upstream::HealthSpec& spec);

// The bytes of the request of a check of type http.
std::string health_request(const upstream::HealthSpec& spec, const os::SocketAddress& address);

// `link` is fresh; closing it from outside ends the check early, with an outcome without meaning.
// `tls` outlives the check.
boost::asio::awaitable<upstream::CheckOutcome> check_health(
    std::shared_ptr<HealthLink> link, std::shared_ptr<const upstream::HealthSpec> spec,
    os::SocketAddress address, HealthTls& tls);

}  // namespace penstock::health
