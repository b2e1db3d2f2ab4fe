#include "upstream/discovery_dns_channel.hpp"

#include <ares.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>

namespace penstock::upstream {

namespace {

using Descriptor = boost::asio::posix::stream_descriptor;

constexpr int try_milliseconds = 2000;
constexpr int tries = 2;
constexpr int class_internet = 1;  // RFC 1035
constexpr int type_srv = 33;       // RFC 2782

DnsResult result_of(int status) noexcept {
  switch (status) {
    case ARES_SUCCESS: return DnsResult::ok;
    case ARES_ENOTFOUND: return DnsResult::nxdomain;
    case ARES_ENODATA: return DnsResult::no_data;
    case ARES_ESERVFAIL: return DnsResult::servfail;
    case ARES_EREFUSED: return DnsResult::refused;
    case ARES_ETIMEOUT:
    case ARES_ECANCELLED: return DnsResult::timeout;
    case ARES_ECONNREFUSED: return DnsResult::unreachable;
    default: return DnsResult::other;
  }
}

base::Duration keep_of(std::int64_t ttl_seconds) noexcept {
  return std::clamp<base::Duration>(std::chrono::seconds{ttl_seconds}, dns_keep_min, dns_keep_max);
}

}  // namespace

// Stands between c-ares, which names its sockets and when it wants to be called, and Asio, which
// knows when a socket is ready.
struct DnsChannel::Parts {
  // One socket of c-ares. Handlers that are under way share it; `wanted` false ends them.
  struct Socket {
    explicit Socket(boost::asio::io_context& io) : descriptor{io} {}
    Descriptor descriptor;
    std::array<bool, 2> wanted{};   // to read, to write
    std::array<bool, 2> waiting{};  // likewise: a handler is under way
  };
  // c-ares carries one from a question to its answer.
  struct AddressQuestion {
    Parts* parts;
    Family family;
    std::function<void(DnsAddresses)> take;
  };
  struct ServiceQuestion {
    std::function<void(DnsServices)> take;
  };

  Parts(boost::asio::io_context& io_context, const std::string& servers, int flags)
      : io{io_context}, timer{io_context} {
    ares_options options{};
    options.flags = flags;
    options.timeout = try_milliseconds;
    options.tries = tries;
    options.sock_state_cb = [](void* self, int socket, int to_read, int to_write) {
      static_cast<Parts*>(self)->watch(socket, to_read != 0, to_write != 0);
    };
    options.sock_state_cb_data = this;
    if (ares_init_options(&channel, &options,
                          ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
                              ARES_OPT_SOCK_STATE_CB) != ARES_SUCCESS)
      channel = nullptr;
    else if (!servers.empty())
      ares_set_servers_ports_csv(channel, servers.c_str());
  }
  ~Parts() {
    if (channel != nullptr) ares_destroy(channel);
  }

  // c-ares tells what it waits for, and, right before it closes a socket, that this is over.
  void watch(int number, bool to_read, bool to_write) {
    auto& socket = sockets[number];
    if (socket == nullptr) {
      socket = std::make_shared<Socket>(io);
      boost::system::error_code refused;
      // Where the socket cannot be watched, c-ares gives the try up when its time is over.
      static_cast<void>(socket->descriptor.assign(number, refused));
    }
    socket->wanted = {to_read, to_write};
    if (to_read || to_write) return wait(number, socket);
    if (socket->descriptor.is_open()) socket->descriptor.release();
    sockets.erase(number);
  }

  void wait(int number, const std::shared_ptr<Socket>& socket) {
    for (const std::size_t way : {0U, 1U}) {
      if (!socket->wanted[way] || socket->waiting[way] || !socket->descriptor.is_open()) continue;
      socket->waiting[way] = true;
      socket->descriptor.async_wait(way == 0 ? Descriptor::wait_read : Descriptor::wait_write,
                                    [this, number, way, socket](const auto& error) {
                                      socket->waiting[way] = false;
                                      // Released: this channel may be gone, too.
                                      if (error || !socket->descriptor.is_open()) return;
                                      if (socket->wanted[way]) process(number, way);
                                    });
    }
  }

  void process(int number, std::size_t way) {
    ares_process_fd(channel, way == 0 ? number : ARES_SOCKET_BAD,
                    way == 1 ? number : ARES_SOCKET_BAD);
    if (const auto found = sockets.find(number); found != sockets.end())
      wait(number, std::shared_ptr{found->second});
    set_timer();
  }

  void set_timer() {
    timeval left{};
    if (ares_timeout(channel, nullptr, &left) == nullptr) {
      timer.cancel();
      return;
    }
    timer.expires_after(std::chrono::seconds{left.tv_sec} +
                        std::chrono::microseconds{left.tv_usec + 1});
    timer.async_wait([this, life = std::weak_ptr{alive}](const auto& error) {
      if (error || life.expired()) return;
      ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
      set_timer();
    });
  }

  void ask_addresses(const std::string& name, Family family,
                     std::function<void(DnsAddresses)> take) {
    if (channel == nullptr) return take({});
    ares_addrinfo_hints hints{};
    // Unsorted: to sort, c-ares would connect a socket to every address.
    hints.ai_flags = ARES_AI_NOSORT;
    hints.ai_socktype = SOCK_STREAM;
    // The hosts file speaks for both families, also where it has nothing for one of them.
    const std::string whole = name.ends_with('.') ? name.substr(0, name.size() - 1) : name;
    const bool is_in_file = is_in_hosts_file(whole);
    hints.ai_family = is_in_file ? AF_UNSPEC : family == Family::v4 ? AF_INET : AF_INET6;
    is_asking = true;
    ares_getaddrinfo(channel, is_in_file ? whole.c_str() : name.c_str(), nullptr, &hints,
                     take_addresses, new AddressQuestion{this, family, std::move(take)});
    is_asking = false;
    set_timer();
  }

  bool is_in_hosts_file(const std::string& name) const {
    hostent* host = nullptr;
    const int status = ares_gethostbyname_file(channel, name.c_str(), AF_UNSPEC, &host);
    if (host != nullptr) ares_free_hostent(host);
    return status == ARES_SUCCESS;
  }

  static void take_addresses(void* own, int status, int /*timeouts*/, ares_addrinfo* info) {
    const std::unique_ptr<AddressQuestion> question{static_cast<AddressQuestion*>(own)};
    DnsAddresses answer{.result = result_of(status), .addresses = {}, .keep = dns_keep_max};
    if (info != nullptr) answer = question->parts->read(info, question->family);
    if (status != ARES_EDESTRUCTION) question->take(std::move(answer));
  }

  DnsAddresses read(ares_addrinfo* info, Family family) const {
    const std::unique_ptr<ares_addrinfo, decltype(&ares_freeaddrinfo)> owned{info,
                                                                             &ares_freeaddrinfo};
    DnsAddresses answer{.result = DnsResult::ok, .addresses = {}, .keep = dns_keep_max};
    for (const auto* node = info->nodes; node != nullptr; node = node->ai_next) {
      const auto address = os::IpEndpoint::from_sockaddr(*node->ai_addr);
      const bool is_v4 = node->ai_family == AF_INET;
      if (is_v4 == (family == Family::v4)) answer.addresses.push_back(address);
      // Only the hosts file answers at once, and its entries have no TTL.
      if (!is_asking) answer.keep = std::min(answer.keep, keep_of(node->ai_ttl));
    }
    for (const auto* alias = info->cnames; alias != nullptr; alias = alias->next)
      if (!is_asking) answer.keep = std::min(answer.keep, keep_of(alias->ttl));
    if (answer.addresses.empty()) answer.result = DnsResult::no_data;
    return answer;
  }

  void ask_services(const std::string& name, std::function<void(DnsServices)> take) {
    if (channel == nullptr) return take({});
    ares_search(channel, name.c_str(), class_internet, type_srv, take_services,
                new ServiceQuestion{std::move(take)});
    set_timer();
  }

  static void take_services(void* own, int status, int /*timeouts*/, unsigned char* bytes,
                            int count) {
    const std::unique_ptr<ServiceQuestion> question{static_cast<ServiceQuestion*>(own)};
    DnsServices answer{.result = result_of(status), .records = {}, .keep = dns_keep_max};
    if (status == ARES_SUCCESS) answer = read(bytes, count);
    if (status != ARES_EDESTRUCTION) question->take(std::move(answer));
  }

  static DnsServices read(const unsigned char* bytes, int count) {
    const auto parsed = os::parse_service_records({bytes, static_cast<std::size_t>(count)});
    if (!parsed) return {.result = DnsResult::other, .records = {}, .keep = dns_keep_min};
    return {.result = parsed->records.empty() ? DnsResult::no_data : DnsResult::ok,
            .records = parsed->records,
            .keep = keep_of(parsed->ttl_seconds)};
  }

  boost::asio::io_context& io;
  boost::asio::steady_timer timer;
  ares_channel channel = nullptr;
  bool is_asking = false;  // within a call that asks
  // Ends with this object: a handler that was due already must not touch it.
  std::shared_ptr<char> alive = std::make_shared<char>();
  std::map<int, std::shared_ptr<Socket>> sockets;
};

DnsChannel::DnsChannel(boost::asio::io_context& io, const std::string& servers)
    : io_{io}, servers_{servers}, parts_{std::make_unique<Parts>(io, servers, 0)} {}
DnsChannel::~DnsChannel() = default;

// c-ares 1.18 goes on to the next server after SERVFAIL and REFUSED, which is right, but in the end
// it calls them "connection refused". Another channel takes the first server's word as it is.
DnsChannel::Parts& DnsChannel::frank() {
  if (frank_ == nullptr) frank_ = std::make_unique<Parts>(io_, servers_, ARES_FLAG_NOCHECKRESP);
  return *frank_;
}

void DnsChannel::ask_addresses(const std::string& name, Family family,
                               std::function<void(DnsAddresses)> take) {
  parts_->ask_addresses(name, family, [this, name, family, take](DnsAddresses answer) {
    if (answer.result != DnsResult::unreachable) return take(std::move(answer));
    frank().ask_addresses(name, family, take);
  });
}

void DnsChannel::ask_services(const std::string& name, std::function<void(DnsServices)> take) {
  parts_->ask_services(name, [this, name, take](DnsServices answer) {
    if (answer.result != DnsResult::unreachable) return take(std::move(answer));
    frank().ask_services(name, take);
  });
}

void DnsChannel::cancel() {
  for (const auto* parts : {parts_.get(), frank_.get()})
    if (parts != nullptr && parts->channel != nullptr) ares_cancel(parts->channel);
}

}  // namespace penstock::upstream
