#pragma once
// A static site in a temporary directory, one connection to a Responder, and a client that counts.

#include <map>
#include <memory>
#include <memory_resource>
#include <string>

#include "catch.hpp"
#include "files/options.hpp"
#include "files/responder.hpp"
#include "files/site.hpp"
#include "files/site_cache.hpp"
#include "os/loopback.hpp"
#include "os/process.hpp"

namespace penstock::files {

inline std::shared_ptr<const Site> site_at(const std::string& root, Options options = {}) {
  options.root = root;
  auto site = Site::open(options);
  if (!site) throw std::runtime_error{site.error()};
  return *site;
}

struct Response {
  int status = 0;
  std::map<std::string, std::string> fields;
  std::string body;
};

// Takes one response off the front of `text`.
inline Response take_response(std::string& text, bool is_head = false) {
  const std::size_t end = text.find("\r\n\r\n");
  if (end == std::string::npos || !text.starts_with("HTTP/1.1 "))
    throw std::runtime_error{"no response at: " + text.substr(0, 100)};
  Response response;
  response.status = std::stoi(text.substr(9, 3));
  std::size_t line = text.find("\r\n");
  while (line < end) {
    const std::size_t next = text.find("\r\n", line + 2);
    const std::string field = text.substr(line + 2, next - line - 2);
    const std::size_t colon = field.find(": ");
    if (!response.fields.emplace(field.substr(0, colon), field.substr(colon + 2)).second)
      throw std::runtime_error{"a field came twice: " + field};
    line = next;
  }
  text.erase(0, end + 4);
  const bool has_body = !is_head && response.status != 304;
  const std::size_t length = !has_body ? 0 : std::stoul(response.fields.at("Content-Length"));
  if (text.size() < length) throw std::runtime_error{"the body is cut short"};
  response.body = text.substr(0, length);
  text.erase(0, length);
  return response;
}

// One connection. The test is both ends: it sends, runs the responder, and reads.
class Connection {
 public:
  explicit Connection(std::shared_ptr<const Site> site, const os::SocketOptions& options = {})
      : pair_{testing::tcp_pair(options)},
        site_{std::move(site)},
        view_{std::make_unique<SiteCache>(*site_, *std::pmr::new_delete_resource())},
        responder_{*view_} {
    os::ignore_broken_pipes();
  }

  void send(std::string_view text) {
    testing::send_all(pair_.client.get(), text);
    await_delivery();
  }
  void finish_sending() {
    REQUIRE_FALSE(os::finish_sending(pair_.client.get()));
    await_events(POLLRDHUP);
  }

  Outcome run(std::size_t budget_bytes = 1 << 20) {
    return responder_.run(pair_.server.get(), budget_bytes, os::now());
  }
  // Until somebody else must act.
  Outcome run_on() {
    Outcome outcome = run();
    while (outcome == Outcome::hungry) outcome = run();
    return outcome;
  }

  // Closes the server's side as a session would, and gives all that arrived.
  std::string close_and_read() {
    pair_.server.reset();
    return testing::read_to_end(pair_.client.get());
  }
  // What has arrived by now.
  std::string read_available() {
    std::string text;
    std::byte buffer[16 * 1024];
    REQUIRE(testing::await_fact([&] {
      const bool is_all = os::unacknowledged_bytes(server()) == 0;
      os::IoResult result = os::receive(client(), buffer);
      for (; result.status == os::IoStatus::moved; result = os::receive(client(), buffer))
        text.append(reinterpret_cast<const char*>(buffer), result.bytes);
      return is_all;
    }));
    return text;
  }
  // One request, one answer; the connection lives on.
  Response ask(std::string_view request, bool is_head = false) {
    send(request);
    REQUIRE(run_on() == Outcome::wait_readable);
    std::string text = read_available();
    const Response response = take_response(text, is_head);
    REQUIRE(text.empty());
    return response;
  }

  void await_events(short events) { REQUIRE(testing::await_events(pair_.server.get(), events)); }
  Responder& responder() { return responder_; }
  SiteCache& view() { return *view_; }
  int client() const { return pair_.client.get(); }
  int server() const { return pair_.server.get(); }
  void reset_client() {
    os::reset_on_close(pair_.client.get());
    pair_.client.reset();
  }

 private:
  void await_delivery() {
    REQUIRE(testing::await_fact([&] { return os::unacknowledged_bytes(client()) == 0; }));
  }

  testing::Pair pair_;
  std::shared_ptr<const Site> site_;
  std::unique_ptr<SiteCache> view_;
  Responder responder_;
};

inline std::string get(const std::string& target, const std::string& fields = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

}  // namespace penstock::files
