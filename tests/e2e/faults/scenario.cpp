#include "e2e/faults/scenario.hpp"

#include <unistd.h>

#include <array>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "catch.hpp"
#include "e2e/faults/digest.hpp"
#include "e2e/faults/tracer.hpp"
#include "e2e/network.hpp"

namespace penstock::e2e {

namespace {

constexpr std::array state_names{"?",          "ESTABLISHED", "SYN_SENT",  "SYN_RECV",
                                 "FIN_WAIT1",  "FIN_WAIT2",   "TIME_WAIT", "CLOSE",
                                 "CLOSE_WAIT", "LAST_ACK",    "LISTEN",    "CLOSING"};

// One line of /proc/net/tcp: "sl local:port remote:port state ...", in hexadecimal.
void count_line(const std::string& line, const std::vector<unsigned>& ports,
                std::map<std::string, std::size_t>& states) {
  std::istringstream fields{line};
  std::string number, local, remote, state;
  if (!(fields >> number >> local >> remote >> state) || number == "sl") return;
  const auto port_in = [](const std::string& address) {
    return static_cast<unsigned>(std::stoul(address.substr(address.rfind(':') + 1), nullptr, 16));
  };
  const auto code = std::stoul(state, nullptr, 16);
  if (code >= state_names.size() || std::string_view{state_names[code]} == "LISTEN") return;
  for (const unsigned port : ports)
    if (port == port_in(local) || port == port_in(remote)) {
      ++states[state_names[code]];
      return;
    }
}

const char* key_of(Way way) {
  return way == Way::to_upstream ? "to_upstream" : "to_client";
}

}  // namespace

std::map<std::string, std::size_t> sockets_by_state(const std::vector<std::string>& addresses) {
  std::vector<unsigned> ports;
  for (const std::string& address : addresses)
    if (!address.starts_with("unix:"))
      ports.push_back(static_cast<unsigned>(std::stoul(port_of(address))));
  std::map<std::string, std::size_t> states;
  for (const char* table : {"/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6"}) {
    std::ifstream file{table};
    for (std::string line; std::getline(file, line);) count_line(line, ports, states);
  }
  return states;
}

std::string name_of(Ending ending) {
  switch (ending) {
    case Ending::fin: return "FIN";
    case Ending::reset: return "RST";
    case Ending::open: break;
  }
  return "open";
}

Scenario::Scenario(std::string id, std::string title, std::string expected)
    : uncaught_{std::uncaught_exceptions()} {
  row_["id"] = id;
  row_["scenario"] = std::move(title);
  row_["expected"] = std::move(expected);
  row_["held"] = false;
}

Scenario::~Scenario() {
  row_["seen"] = seen_;
  if (!rivals_.empty()) row_["rivals"] = rivals_;
  // A check that failed without an exception is Catch's to report; the row only says what was seen.
  row_["held"] = std::uncaught_exceptions() == uncaught_;
  const char* named = std::getenv("PENSTOCK_FAULTS_DIR");
  const std::filesystem::path folder{named != nullptr ? named : PENSTOCK_FAULTS_DIR};
  std::filesystem::create_directories(folder);
  std::ofstream file{folder / (std::string{row_["id"].as_string()} + ".json")};
  file << boost::json::serialize(row_) << '\n';
}

std::optional<Scenario::Resources> Scenario::resources() const {
  if (proxy_ == nullptr || !proxy_->running()) return std::nullopt;
  const std::string resident = proxy_->status_line("VmRSS");
  return Resources{.descriptors = proxy_->descriptors(),
                   .resident_kib = resident.empty() ? 0 : std::stol(resident)};
}

void Scenario::watch(Program& proxy, std::vector<std::string> addresses) {
  proxy_ = &proxy;
  addresses_ = std::move(addresses);
  if (const auto now = resources())
    row_["before"] = {{"descriptors", now->descriptors}, {"resident_kib", now->resident_kib}};
}

void Scenario::settle() {
  if (const auto now = resources())
    row_["after"] = {{"descriptors", now->descriptors}, {"resident_kib", now->resident_kib}};
  boost::json::object sockets;
  for (const auto& [state, count] : sockets_by_state(addresses_)) sockets[state] = count;
  row_["sockets"] = sockets;
}

void Scenario::delivered(Way way, std::string_view sent, std::string_view received) {
  // Without the bytes themselves: they may be many.
  const bool equal = sent == received;
  INFO(received.size() << " of " << sent.size() << " bytes arrived " << key_of(way));
  CHECK(equal);
  delivered(way, received.size(), sha256(received));
}

void Scenario::delivered(Way way, std::uint64_t bytes, const std::string& digest) {
  row_[key_of(way)] = {{"bytes", bytes}, {"sha256", digest}};
}

void Scenario::verdict(std::string_view peer, Ending ending) {
  if (!row_.contains("verdicts")) row_["verdicts"] = boost::json::object{};
  row_["verdicts"].as_object()[peer] = name_of(ending);
}

double Scenario::idle_ticks(Milliseconds duration) {
  const double before = proxy_->cpu_seconds();
  holds_for(duration, "the proxy runs", [&] { return proxy_->running(); });
  const double ticks =
      (proxy_->cpu_seconds() - before) * static_cast<double>(::sysconf(_SC_CLK_TCK));
  row_["idle"] = {{"ticks", ticks}, {"milliseconds", duration.count()}};
  return ticks;
}

std::size_t Scenario::wakeups(Milliseconds duration) {
  Tracer tracer{proxy_->id(), {"-c", "-e", "trace=epoll_wait,epoll_pwait,epoll_pwait2"}};
  holds_for(duration, "the proxy runs", [&] { return proxy_->running(); });
  const std::size_t returns = tracer.total_calls();
  row_["wakeups"] = {{"returns", returns}, {"milliseconds", duration.count()}};
  return returns;
}

void Scenario::saw(const std::string& fact) {
  seen_ += (seen_.empty() ? "" : "; ") + fact;
}

void Scenario::rival_saw(const std::string& rival, const std::string& fact) {
  rivals_[rival] = fact;
}

}  // namespace penstock::e2e
