#pragma once
// A name server that answers as a script says, by UDP and TCP, and counts what it was asked.
//
// Owner    the test. Thread: that of the io_context.

#include <arpa/inet.h>

#include <array>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "discovery/server_sockets.hpp"
#include "os/dns_records.hpp"

namespace penstock::discovery {

namespace asio = boost::asio;

// What is said to one question. Response codes are those of RFC 1035.
struct Said {
  static constexpr int silence = -1;
  int code = 0;
  std::vector<std::string> records{};  // addresses; of SRV "PORT TARGET"; "alias NAME" of any type
  bool cut_by_udp = false;             // then TCP has the records
  unsigned ttl_seconds = 60;
};

struct Asked {
  std::string name;  // in small letters
  os::DnsType type = os::DnsType::a;
  bool by_tcp = false;
};

class ScriptedServer {
 public:
  using Script = std::function<Said(const Asked&)>;

  ScriptedServer(asio::io_context& io, Script script, const std::string& ip = "127.0.0.1",
                 std::uint16_t port = 0)
      : script_{std::move(script)}, sockets_{server_sockets(io, ip, port)} {
    listen_by_udp();
    listen_by_tcp();
  }

  std::string address() const {
    return "127.0.0.1:" + std::to_string(sockets_.udp.local_endpoint().port());
  }
  // The names that were asked for with one type, in their order.
  const std::vector<std::string>& asked(os::DnsType type) { return asked_[type]; }

 private:
  using Bytes = std::vector<unsigned char>;
  struct Stream {
    explicit Stream(asio::ip::tcp::socket accepted) : socket{std::move(accepted)} {}
    asio::ip::tcp::socket socket;
    Bytes bytes;
    std::array<unsigned char, 2> length{};
  };

  static void add(Bytes& bytes, unsigned value) {
    bytes.push_back(static_cast<unsigned char>(value >> 8));
    bytes.push_back(static_cast<unsigned char>(value));
  }
  static Bytes name_of(const std::string& text) {
    Bytes bytes;
    for (std::size_t at = 0; at < text.size();) {
      const auto dot = std::min(text.find('.', at), text.size());
      bytes.push_back(static_cast<unsigned char>(dot - at));
      bytes.insert(bytes.end(), text.begin() + static_cast<long>(at),
                   text.begin() + static_cast<long>(dot));
      at = dot + 1;
    }
    bytes.push_back(0);
    return bytes;
  }
  static Bytes data_of(os::DnsType type, const std::string& record) {
    Bytes data(type == os::DnsType::a ? 4 : 16);
    if (type != os::DnsType::srv) {
      ::inet_pton(type == os::DnsType::a ? AF_INET : AF_INET6, record.c_str(), data.data());
      return data;
    }
    data.clear();
    add(data, 1);
    add(data, 1);
    add(data, static_cast<unsigned>(std::stoul(record)));
    const Bytes target = name_of(record.substr(record.find(' ') + 1));
    data.insert(data.end(), target.begin(), target.end());
    return data;
  }

  // Empty where nothing is said.
  Bytes answer(const Bytes& question, bool by_tcp) {
    Asked asked;
    asked.by_tcp = by_tcp;
    std::size_t at = 12;
    for (; at < question.size() && question[at] != 0; at += question[at] + 1U) {
      for (std::size_t i = 1; i <= question[at]; ++i)
        asked.name += static_cast<char>(std::tolower(question[at + i]));
      asked.name += '.';
    }
    asked.name.pop_back();
    asked.type = static_cast<os::DnsType>(question[at + 1] << 8 | question[at + 2]);
    asked_[asked.type].push_back(asked.name);
    const Said said = script_(asked);
    if (said.code == Said::silence) return {};
    const bool is_cut = said.cut_by_udp && !by_tcp;
    Bytes bytes{question[0], question[1], static_cast<unsigned char>(is_cut ? 0x87 : 0x85),
                static_cast<unsigned char>(0x80 | said.code)};
    add(bytes, 1);
    add(bytes, is_cut ? 0 : static_cast<unsigned>(said.records.size()));
    bytes.insert(bytes.end(), 4, 0);
    bytes.insert(bytes.end(), question.begin() + 12, question.begin() + static_cast<long>(at) + 5);
    for (const std::string& record : said.records) {
      if (is_cut) break;
      const bool is_alias = record.starts_with("alias ");
      const Bytes data = is_alias ? name_of(record.substr(6)) : data_of(asked.type, record);
      add(bytes, 0xc00c);
      add(bytes, is_alias ? 5 : static_cast<unsigned>(asked.type));
      add(bytes, 1);
      add(bytes, 0);
      add(bytes, said.ttl_seconds);
      add(bytes, static_cast<unsigned>(data.size()));
      bytes.insert(bytes.end(), data.begin(), data.end());
    }
    return bytes;
  }

  void listen_by_udp() {
    sockets_.udp.async_receive_from(
        asio::buffer(packet_), from_, [this](const auto& error, std::size_t count) {
          if (error == asio::error::operation_aborted) return;
          if (!error) {
            const Bytes bytes =
                answer({packet_.begin(), packet_.begin() + static_cast<long>(count)}, false);
            boost::system::error_code ignored;
            if (!bytes.empty()) sockets_.udp.send_to(asio::buffer(bytes), from_, 0, ignored);
          }
          listen_by_udp();
        });
  }

  void listen_by_tcp() {
    sockets_.tcp.async_accept([this](const auto& error, asio::ip::tcp::socket socket) {
      if (error) return;
      read_from(std::make_shared<Stream>(std::move(socket)));
      listen_by_tcp();
    });
  }

  void read_from(const std::shared_ptr<Stream>& stream) {
    asio::async_read(
        stream->socket, asio::buffer(stream->length), [this, stream](const auto& error, auto) {
          if (error) return;
          stream->bytes.resize(
              static_cast<std::size_t>(stream->length[0] << 8 | stream->length[1]));
          asio::async_read(stream->socket, asio::buffer(stream->bytes),
                           [this, stream](const auto& failed, auto) {
                             if (failed) return;
                             const Bytes said = answer(stream->bytes, true);
                             stream->bytes.clear();
                             add(stream->bytes, static_cast<unsigned>(said.size()));
                             stream->bytes.insert(stream->bytes.end(), said.begin(), said.end());
                             boost::system::error_code ignored;
                             asio::write(stream->socket, asio::buffer(stream->bytes), ignored);
                             read_from(stream);
                           });
        });
  }

  const Script script_;
  ServerSockets sockets_;
  asio::ip::udp::endpoint from_;
  std::array<unsigned char, 1024> packet_{};
  std::map<os::DnsType, std::vector<std::string>> asked_;
};

}  // namespace penstock::discovery
