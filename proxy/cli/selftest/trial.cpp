#include "cli/selftest/trial.hpp"

#include <fmt/core.h>

#include <cerrno>
#include <fstream>
#include <initializer_list>

#include "files/site_cache.hpp"
#include "os/clock.hpp"
#include "os/poller.hpp"
#include "os/process.hpp"
#include "os/socket.hpp"
#include "runtime/options.hpp"
#include "runtime/server.hpp"
#include "session/context.hpp"
#include "session/counters.hpp"
#include "upstream/registry.hpp"

namespace penstock::cli {

namespace {

using relay::Engine;
using relay::EnginePolicy;

constexpr std::size_t buffer_bytes = 512 * 1024;  // of the proxy's sockets
constexpr std::uint64_t file_bytes = 4 << 20;
constexpr std::string_view starting = "start";
constexpr base::Duration trial_patience = std::chrono::seconds{2};

// A port of the kernel's choice.
os::SocketAddress loopback() {
  os::IpEndpoint endpoint;
  endpoint.family = os::IpEndpoint::Family::v4;
  endpoint.bytes = {127, 0, 0, 1};
  return os::SocketAddress{endpoint};
}

// So small that a slow reader is felt soon.
os::SocketOptions small_buffers() {
  os::SocketOptions options;
  options.send_buffer = options.receive_buffer = 64 * 1024;
  return options;
}

os::Fd dial(const os::SocketAddress& address) {
  auto socket = os::connect_to(address, small_buffers());
  if (!socket) throw SelftestFault{"a client cannot connect: " + socket.error().message()};
  return std::move(*socket);
}

os::Poller poller_for(std::initializer_list<int> sockets) {
  auto poller = os::Poller::create();
  if (!poller) throw SelftestFault{"no epoll: " + poller.error().message()};
  for (const int socket : sockets)
    if (const auto error = poller->add(socket, 0, os::Poller::Reads::announced))
      throw SelftestFault{"no epoll: " + error.message()};
  return std::move(*poller);
}

os::Fd accept_one(int listener) {
  os::Poller poller = poller_for({listener});
  const base::Instant deadline = os::now() + trial_patience;
  os::IpEndpoint peer;
  for (;;) {
    auto accepted = os::accept_from(listener, peer);
    if (accepted) return std::move(*accepted);
    if (accepted.error().value() != EAGAIN || os::now() >= deadline)
      throw SelftestFault{"no connection came through: " + accepted.error().message()};
    poller.wait(std::chrono::milliseconds{5});
  }
}

// What has to have moved bytes for the policy to have been tried.
std::vector<Engine> engines_of(EnginePolicy policy) {
  switch (policy) {
    case EnginePolicy::adaptive: return {Engine::copy, Engine::splice};
    case EnginePolicy::splice: return {Engine::splice};
    case EnginePolicy::copy: return {Engine::copy};
    case EnginePolicy::zerocopy: return {Engine::zerocopy};
    case EnginePolicy::uring: return {Engine::ring, Engine::splice};
  }
  return {};
}

// Runs the scenarios, one after the other, and times them.
class Scenarios {
 public:
  explicit Scenarios(std::string engine) : begun_{os::now()} { verdict_.engine = engine; }

  template <class Scenario>
  void run(std::string_view name, Scenario&& scenario) {
    if (verdict_.kind != EngineVerdict::Kind::right) return;
    try {
      scenario();
      if (name != starting) verdict_.tried.emplace_back(name);
    } catch (const SelftestFault& fault) {
      verdict_.kind = EngineVerdict::Kind::wrong;
      verdict_.why = fmt::format("{}: {}", name, fault.what());
    }
  }
  void not_here(std::string why) {
    if (verdict_.kind != EngineVerdict::Kind::right) return;
    verdict_.kind = EngineVerdict::Kind::not_here;
    verdict_.why = std::move(why);
  }
  EngineVerdict end() {
    using std::chrono::milliseconds;
    verdict_.milliseconds = (os::now() - begun_) / milliseconds{1};
    return std::move(verdict_);
  }

 private:
  base::Instant begun_;
  EngineVerdict verdict_{};
};

}  // namespace

SelftestTrial::SelftestTrial(EnginePolicy engine) {
  auto origin = os::listen_on(loopback(), {}, small_buffers());
  if (!origin) throw SelftestFault{origin.error()};
  origin_listener_ = std::move(*origin);
  runtime::ServerSpec spec;
  spec.relay.engine = engine;
  upstream::ClusterSpec cluster;
  cluster.name = "origin";
  upstream::EndpointSpec endpoint;
  endpoint.identity = "origin";
  endpoint.address = os::SocketAddress{os::local_endpoint(origin_listener_.get())};
  cluster.endpoints.push_back(std::move(endpoint));
  spec.upstreams.push_back(std::move(cluster));
  runtime::ListenerSpec listener;
  listener.session.upstream = "origin";
  start(std::move(listener), std::move(spec));
}

SelftestTrial::SelftestTrial(const std::filesystem::path& root) {
  runtime::ListenerSpec listener;
  listener.session.files.emplace();
  listener.session.files->root = root.string();
  start(std::move(listener), {});
}

void SelftestTrial::start(runtime::ListenerSpec listener, runtime::ServerSpec spec) {
  listener.session.name = "selftest";
  listener.session.socket.send_buffer = listener.session.socket.receive_buffer = buffer_bytes;
  listener.addresses.push_back(loopback());
  spec.listeners.push_back(std::move(listener));
  spec.relay.pipes_max = 16;
  spec.relay.buffers_max = 64;
  spec.runtime.forwarders = 1;
  spec.runtime.acceptors = 1;
  spec.runtime.max_connections = 64;
  session::LogSwitches silent;
  silent.close = false;
  registry_ = std::make_unique<upstream::Registry>(spec.upstreams, os::now());
  auto created = runtime::Server::create(std::move(spec), silent, *registry_);
  if (!created) throw SelftestFault{created.error()};
  server_ = std::move(*created);
  server_->start();
  views_ = server_->forwarders();
}

SelftestTrial::~SelftestTrial() {
  server_->stop();
}

SelftestLink SelftestTrial::connect() {
  os::Fd client = dial(server_->addresses(0).front());
  os::Fd origin = accept_one(origin_listener_.get());
  os::Poller poller = poller_for({client.get(), origin.get()});
  return {std::move(client), std::move(origin), std::move(poller)};
}

SelftestLink SelftestTrial::connect_to_files() {
  os::Fd client = dial(server_->addresses(0).front());
  os::Poller poller = poller_for({client.get()});
  // The request is sent when the connection stands.
  poller.wait(trial_patience);
  return {std::move(client), {}, std::move(poller)};
}

std::uint64_t SelftestTrial::bytes_by(Engine engine) const {
  return view().relay.bytes[static_cast<std::size_t>(engine)].value();
}

std::uint64_t SelftestTrial::bytes_by_sendfile() const {
  return view().sessions.sendfile_bytes.value();
}

std::string SelftestTrial::reason() const {
  const auto now = server_->forwarders();
  if (const auto refusal = now.front().ring_refusal; refusal && *refusal != 0)
    return fmt::format("the kernel refuses io_uring ({}); `run` stays with epoll",
                       base::error_from(*refusal).message());
  const relay::Counters& counters = view().relay;
  for (std::size_t i = 0; i < relay::fallback_names.size(); ++i)
    if (counters.fallbacks[i].value() > 0)
      return fmt::format("no splice: {}; `run` copies instead", relay::fallback_names.names[i]);
  for (std::size_t i = 0; i < relay::zerocopy_fallback_names.size(); ++i)
    if (counters.zerocopy_fallbacks[i].value() > 0)
      return fmt::format("no MSG_ZEROCOPY: {}; `run` copies instead",
                         relay::zerocopy_fallback_names.names[i]);
  return "it moved nothing";
}

EngineVerdict try_engine(EnginePolicy engine) {
  Scenarios scenarios{std::string{relay::engine_policy_names[engine]}};
  std::optional<SelftestTrial> trial;
  scenarios.run(starting, [&] { trial.emplace(engine); });
  const auto each = [&](const char* name, void (*scenario)(SelftestLink&)) {
    scenarios.run(name, [&] {
      SelftestLink link = trial->connect();
      scenario(link);
    });
  };
  each("byte-exact", try_bytes);
  each("half-close", try_half_close);
  each("urgent byte", try_urgent);
  each("slow reader", try_slow_reader);
  if (trial)
    for (const Engine moved : engines_of(engine))
      if (trial->bytes_by(moved) == 0) scenarios.not_here(trial->reason());
  return scenarios.end();
}

EngineVerdict try_sendfile() {
  Scenarios scenarios{"sendfile"};
  const auto root = std::filesystem::temp_directory_path() /
                    fmt::format("penstock-selftest-{}", os::process_id());
  std::error_code refused;
  std::filesystem::create_directory(root, refused);
  std::ofstream file{root / "file", std::ios::binary};
  for (std::uint64_t i = 0; i < file_bytes && file; ++i)
    file.put(static_cast<char>(selftest_byte(6, i)));
  file.close();
  if (!file) {
    scenarios.not_here(
        fmt::format("not tried: {} cannot be written; set TMPDIR to a folder that can",
                    root.parent_path().string()));
    return scenarios.end();
  }
  std::optional<SelftestTrial> trial;
  scenarios.run(starting, [&] { trial.emplace(root); });
  const auto get = [&](const char* name, std::string_view range, std::uint64_t begin,
                       std::uint64_t bytes, bool slowly) {
    scenarios.run(name, [&] {
      SelftestLink link = trial->connect_to_files();
      send_text(link, fmt::format("GET /file HTTP/1.1\r\nHost: selftest\r\n{}\r\n", range));
      expect_body(link, 6, begin, bytes, slowly);
    });
  };
  get("byte-exact", "", 0, file_bytes, false);
  get("range", "Range: bytes=1000001-2000000\r\n", 1'000'001, 1'000'000, false);
  get("slow reader", "", 0, file_bytes, true);
  if (trial && trial->bytes_by_sendfile() == 0) scenarios.not_here("sendfile moved nothing");
  trial.reset();
  std::filesystem::remove_all(root, refused);
  return scenarios.end();
}

}  // namespace penstock::cli
