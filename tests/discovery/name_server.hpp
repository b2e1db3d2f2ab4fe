#pragma once
// Name servers for the tests: a real one (dnsmasq), and one that gives a wrong answer or none.
//
// Owner    the test; both end with it. They serve 127.0.0.1 on a port of their own.

#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "discovery/server_sockets.hpp"

namespace penstock::discovery {

// A folder that goes with the test.
class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "penstock-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error{"cannot make a folder"};
    path_ = pattern;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }

  std::string write(const std::string& name, const std::string& text) const {
    const std::string file = path_ + '/' + name;
    std::ofstream{file} << text;
    return file;
  }

 private:
  std::string path_;
};

// A port that neither UDP nor TCP uses now.
inline std::uint16_t free_port() {
  asio::io_context io;
  return server_sockets(io, "127.0.0.1").udp.local_endpoint().port();
}

class NameServer {
 public:
  // Options of dnsmasq(8), like "--host-record=db.test,10.0.0.1". It knows the zone `test` and
  // refuses all others.
  explicit NameServer(const std::vector<std::string>& options, std::uint16_t port = free_port())
      : port_{port} {
    std::vector<std::string> words{"dnsmasq",
                                   "--keep-in-foreground",
                                   "--conf-file=/dev/null",
                                   "--pid-file=",
                                   "--no-resolv",
                                   "--no-hosts",
                                   "--bind-interfaces",
                                   "--local=/test/",
                                   "--listen-address=127.0.0.1",
                                   "--log-facility=/dev/null",
                                   std::string{"--user="} + ::getpwuid(::geteuid())->pw_name,
                                   "--port=" + std::to_string(port_)};
    words.insert(words.end(), options.begin(), options.end());
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const std::string path = std::string{::getenv("PATH")} + ":/usr/sbin";
    ::setenv("PATH", path.c_str(), 1);
    if (::posix_spawnp(&process_, "dnsmasq", nullptr, nullptr, arguments.data(), environ) != 0)
      throw std::runtime_error{"cannot start dnsmasq; apt-get install dnsmasq-base"};
    wait_until_it_listens();
  }
  NameServer(const NameServer&) = delete;
  NameServer& operator=(const NameServer&) = delete;
  ~NameServer() { stop(); }

  // It reads its addn-hosts again.
  void reload() const { ::kill(process_, SIGHUP); }
  void stop() {
    if (process_ <= 0) return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
    process_ = -1;
  }
  std::uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  void wait_until_it_listens() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    asio::io_context io;
    boost::system::error_code error = asio::error::would_block;
    while (error) {
      asio::ip::tcp::socket socket{io};
      socket.connect({asio::ip::address_v4::loopback(), port_}, error);
      if (::waitpid(process_, nullptr, WNOHANG) == process_ ||
          std::chrono::steady_clock::now() > deadline)
        throw std::runtime_error{"dnsmasq does not listen"};
    }
  }

  std::uint16_t port_;
  pid_t process_ = -1;
};

// Answers every question with a response code and no record, or never.
class OddServer {
 public:
  static constexpr int silent = -1;

  OddServer(asio::io_context& io, int response_code)
      : socket_{io, {asio::ip::address_v4::loopback(), 0}}, response_code_{response_code} {
    listen();
  }
  std::string address() const {
    return "127.0.0.1:" + std::to_string(socket_.local_endpoint().port());
  }
  int questions() const { return questions_; }
  void answer_with(int response_code) { response_code_ = response_code; }

 private:
  void listen() {
    socket_.async_receive_from(
        asio::buffer(bytes_), from_, [this](const auto& error, std::size_t count) {
          if (error) return;
          ++questions_;
          if (response_code_ != silent) {
            bytes_[2] = static_cast<char>(bytes_[2] | 0x80);  // a response
            bytes_[3] = static_cast<char>(0x80 | response_code_);
            boost::system::error_code ignored;
            socket_.send_to(asio::buffer(bytes_.data(), count), from_, 0, ignored);
          }
          listen();
        });
  }

  asio::ip::udp::socket socket_;
  asio::ip::udp::endpoint from_;
  std::array<char, 512> bytes_{};
  int response_code_;
  int questions_ = 0;
};

}  // namespace penstock::discovery
