#include "discovery/dns_exchange.hpp"

#include <ares.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <span>
#include <utility>

#include "io/alarm.hpp"

namespace penstock::discovery {

namespace {

using Descriptor = boost::asio::posix::stream_descriptor;

upstream::DnsResult result_of(int status) noexcept {
  switch (status) {
    case ARES_SUCCESS: return upstream::DnsResult::ok;
    case ARES_ENOTFOUND: return upstream::DnsResult::nxdomain;
    case ARES_ENODATA: return upstream::DnsResult::no_data;
    case ARES_ESERVFAIL: return upstream::DnsResult::servfail;
    case ARES_EREFUSED: return upstream::DnsResult::refused;
    case ARES_ETIMEOUT: return upstream::DnsResult::timeout;
    case ARES_ECONNREFUSED: return upstream::DnsResult::unreachable;
    default: return upstream::DnsResult::other;
  }
}

DnsReply read(int status, std::span<const unsigned char> bytes, os::DnsType type) {
  if (status != ARES_SUCCESS) return {.result = result_of(status), .records = {}};
  auto records = os::parse_dns_records(bytes, type);
  if (!records) return {.result = upstream::DnsResult::other, .records = {}};
  return {.result = upstream::DnsResult::ok, .records = *std::move(records)};
}

// Everything is stated, so that c-ares reads no file. It takes each answer as it is, also one that
// tells of trouble: who asks decides what comes next. `lookup` is b for servers, f for the hosts
// file.
int open_channel(ares_channel& channel, ares_options options, int given, char lookup) {
  char lookups[] = {lookup, '\0'};
  options.flags |= ARES_FLAG_NOCHECKRESP;
  options.tries = 1;
  options.ndots = 1;
  options.lookups = lookups;
  given |= ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS |
           ARES_OPT_LOOKUPS | ARES_OPT_SERVERS | ARES_OPT_DOMAINS | ARES_OPT_SORTLIST;
  return ares_init_options(&channel, &options, given);
}

}  // namespace

// Stands between c-ares, which names its sockets and when it wants to be called, and Asio, which
// knows when a socket is ready.
struct DnsExchange::Channel {
  // One socket of c-ares. Handlers that are under way share it; `wanted` false ends them.
  struct Socket {
    explicit Socket(boost::asio::io_context& io) : descriptor{io} {}
    Descriptor descriptor;
    std::array<bool, 2> wanted{};   // to read, to write
    std::array<bool, 2> waiting{};  // likewise: a handler is under way
  };

  Channel(boost::asio::io_context& io_context, const Way& way, os::DnsType asked_type,
          std::function<void(DnsReply)> taker)
      : io{io_context}, timer{io_context}, type{asked_type}, take{std::move(taker)} {
    ares_options options{};
    options.flags = way.over_tcp ? ARES_FLAG_USEVC : 0;
    options.timeout = static_cast<int>(
        std::chrono::duration_cast<std::chrono::milliseconds>(way.timeout).count());
    options.sock_state_cb = [](void* self, int socket, int to_read, int to_write) {
      static_cast<Channel*>(self)->watch(socket, to_read != 0, to_write != 0);
    };
    options.sock_state_cb_data = this;
    is_open = open_channel(ares, options, ARES_OPT_SOCK_STATE_CB, 'b') == ARES_SUCCESS &&
              ares_set_servers_ports_csv(ares, way.server.c_str()) == ARES_SUCCESS;
  }
  ~Channel() {
    if (ares != nullptr) ares_destroy(ares);
  }

  void ask(const std::string& name) {
    if (!is_open) return answer({});
    query(name.c_str());
    set_timer();
  }

#if ARES_VERSION >= 0x011c00  // 1.28 has a new call, and writes bytes like this for the old one.
  void query(const char* name) {
    ares_query_dnsrec(
        ares, name, ARES_CLASS_IN, static_cast<ares_dns_rec_type_t>(type),
        [](void* self, ares_status_t status, std::size_t /*timeouts*/,
           const ares_dns_record_t* record) {
          unsigned char* bytes = nullptr;
          std::size_t count = 0;
          if (status == ARES_SUCCESS) status = ares_dns_write(record, &bytes, &count);
          static_cast<Channel*>(self)->answered(status, {bytes, count});
          ares_free_string(bytes);
        },
        this, nullptr);
  }
#else
  void query(const char* name) {
    constexpr int class_internet = 1;  // RFC 1035
    ares_query(
        ares, name, class_internet, static_cast<int>(type),
        [](void* self, int status, int /*timeouts*/, unsigned char* bytes, int count) {
          static_cast<Channel*>(self)->answered(status, {bytes, static_cast<std::size_t>(count)});
        },
        this);
  }
#endif

  void answered(int status, std::span<const unsigned char> bytes) {
    if (status != ARES_EDESTRUCTION) answer(read(status, bytes, type));
  }

  // A channel must not be destroyed by an answer that it gives: so it is given later.
  void answer(DnsReply reply) {
    io::call_later(io, [this, life = std::weak_ptr{alive}, reply = std::move(reply)]() mutable {
      if (life.expired()) return;
      const auto taker = std::move(take);
      taker(std::move(reply));
    });
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
    ares_process_fd(ares, way == 0 ? number : ARES_SOCKET_BAD, way == 1 ? number : ARES_SOCKET_BAD);
    if (const auto found = sockets.find(number); found != sockets.end())
      wait(number, std::shared_ptr{found->second});
    set_timer();
  }

  void set_timer() {
    timeval left{};
    if (ares_timeout(ares, nullptr, &left) == nullptr) {
      timer.cancel();
      return;
    }
    timer.expires_after(std::chrono::seconds{left.tv_sec} +
                        std::chrono::microseconds{left.tv_usec + 1});
    timer.async_wait([this, life = std::weak_ptr{alive}](const auto& error) {
      if (error || life.expired()) return;
      ares_process_fd(ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
      set_timer();
    });
  }

  boost::asio::io_context& io;
  boost::asio::steady_timer timer;
  const os::DnsType type;
  std::function<void(DnsReply)> take;
  ares_channel ares = nullptr;
  bool is_open = false;
  // Ends with this object: a handler that was due already must not touch it.
  std::shared_ptr<char> alive = std::make_shared<char>();
  std::map<int, std::shared_ptr<Socket>> sockets;
};

DnsExchange::DnsExchange(boost::asio::io_context& io, const Way& way, const DnsAsked& asked,
                         std::function<void(DnsReply)> take)
    : channel_{std::make_unique<Channel>(io, way, asked.type, std::move(take))} {
  channel_->ask(asked.name);
}

DnsExchange::~DnsExchange() = default;

std::vector<os::IpEndpoint> addresses_in_hosts_file(const std::string& name) {
  std::vector<os::IpEndpoint> found;
  ares_channel channel = nullptr;
  if (open_channel(channel, {}, 0, 'f') == ARES_SUCCESS) {
    ares_addrinfo_hints hints{};
    // Unsorted: to sort, c-ares would connect a socket to every address.
    hints.ai_flags = ARES_AI_NOSORT;
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    ares_getaddrinfo(
        channel, name.c_str(), nullptr, &hints,
        [](void* into, int /*status*/, int /*timeouts*/, ares_addrinfo* info) {
          for (auto* node = info != nullptr ? info->nodes : nullptr; node != nullptr;
               node = node->ai_next)
            static_cast<std::vector<os::IpEndpoint>*>(into)->push_back(
                os::IpEndpoint::from_sockaddr(*node->ai_addr));
          if (info != nullptr) ares_freeaddrinfo(info);
        },
        &found);
  }
  if (channel != nullptr) ares_destroy(channel);
  return found;
}

}  // namespace penstock::discovery
