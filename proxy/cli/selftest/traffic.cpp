#include "cli/selftest/traffic.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <vector>

#include "os/clock.hpp"
#include "os/socket.hpp"

namespace penstock::cli {

namespace {

using os::IoStatus;

constexpr std::array<std::size_t, 8> pieces{1, 100, 1460, 4096, 16'384, 65'536, 262'144, 3};
constexpr base::Duration traffic_patience = std::chrono::seconds{2};
constexpr base::Duration stillness = std::chrono::milliseconds{30};
constexpr std::uint64_t exact_bytes = 3 << 20;
// More than the buffers of two sockets and a pipe can grow to.
constexpr std::uint64_t slow_bytes = 16 << 20;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span{text.data(), text.size()});
}

// Waits for something to happen, until the deadline.
void wait(SelftestLink& link, base::Instant deadline, const std::string& progress) {
  if (os::now() >= deadline) throw SelftestFault{"nothing moved for two seconds: " + progress};
  link.poller.wait(std::chrono::milliseconds{5});
}

// One read that waits; empty at the end.
std::string read_some(SelftestLink& link, int socket, std::size_t bytes_max) {
  std::string text(bytes_max, '\0');
  const base::Instant deadline = os::now() + traffic_patience;
  for (;;) {
    const auto result = os::receive(socket, std::as_writable_bytes(std::span{text}));
    if (result.status == IoStatus::failed)
      throw SelftestFault{"a read failed: " + base::error_from(result.error).message()};
    if (result.status != IoStatus::would_block) {
      text.resize(result.bytes);
      return text;
    }
    wait(link, deadline, "a read waits");
  }
}

void expect_text(SelftestLink& link, int socket, std::string_view wanted) {
  std::string text;
  while (text.size() < wanted.size()) {
    const std::string part = read_some(link, socket, wanted.size() - text.size());
    if (part.empty()) break;
    text += part;
  }
  if (text != wanted) throw SelftestFault{fmt::format("'{}' was sent, '{}' came", wanted, text)};
}

void expect_end(SelftestLink& link, int socket) {
  const std::string more = read_some(link, socket, 64);
  if (!more.empty()) throw SelftestFault{fmt::format("{} bytes too many came", more.size())};
}

void urgent_one_way(SelftestLink& link, int from, int to) {
  os::send(from, bytes_of("abc"));
  os::send_urgent(from, bytes_of("X"));
  os::send(from, bytes_of("def"));
  os::finish_sending(from);
  expect_text(link, to, "abcXdef");
  expect_end(link, to);
}

}  // namespace

std::byte selftest_byte(std::uint64_t stream, std::uint64_t offset) noexcept {
  return static_cast<std::byte>(((offset + stream) * 0x9e37'79b9'7f4a'7c15) >> 43);
}

SelftestFlow::SelftestFlow(int from, int to, std::uint64_t stream, std::uint64_t bytes,
                           bool then_fin)
    : from_{from}, to_{to}, stream_{stream}, bytes_{bytes}, then_fin_{then_fin} {}

bool SelftestFlow::send_some() {
  if (is_sent()) return false;
  if (sent_ == bytes_) {
    if (const auto error = os::finish_sending(from_))
      throw SelftestFault{"FIN could not be sent: " + error.message()};
    return fin_sent_ = true;
  }
  std::vector<std::byte> piece(
      std::min<std::uint64_t>(pieces[piece_++ % pieces.size()], bytes_ - sent_));
  for (std::size_t i = 0; i < piece.size(); ++i) piece[i] = selftest_byte(stream_, sent_ + i);
  const auto result = os::send(from_, piece);
  if (result.status == IoStatus::failed)
    throw SelftestFault{"a write failed: " + base::error_from(result.error).message()};
  sent_ += result.bytes;
  return result.bytes > 0;
}

bool SelftestFlow::receive_some() {
  if (is_done()) return false;
  std::array<std::byte, 65'536> into;
  const auto result = os::receive(to_, into);
  switch (result.status) {
    case IoStatus::would_block: return false;
    case IoStatus::failed:
      throw SelftestFault{fmt::format("after {} of {} bytes a read failed: {}", received_, bytes_,
                                      base::error_from(result.error).message())};
    case IoStatus::end:
      if (!then_fin_ || received_ < bytes_)
        throw SelftestFault{fmt::format("FIN came after {} of {} bytes", received_, bytes_)};
      return fin_came_ = true;
    case IoStatus::moved: break;
  }
  check(std::span{into}.first(result.bytes));
  received_ += result.bytes;
  return true;
}

void SelftestFlow::check(std::span<const std::byte> arrived) const {
  for (std::size_t i = 0; i < arrived.size(); ++i)
    if (received_ + i >= bytes_ || arrived[i] != selftest_byte(stream_, received_ + i))
      throw SelftestFault{fmt::format("the byte at offset {} is wrong", received_ + i)};
}

std::string SelftestFlow::progress() const {
  return fmt::format("{} of {} bytes were taken, {} came", sent_, bytes_, received_);
}

void run_flows(SelftestLink& link, std::span<SelftestFlow> flows) {
  base::Instant deadline = os::now() + traffic_patience;
  const auto done = [](const SelftestFlow& flow) { return flow.is_done(); };
  while (!std::all_of(flows.begin(), flows.end(), done)) {
    bool moved = false;
    std::string progress;
    for (SelftestFlow& flow : flows) {
      moved = flow.send_some() || moved;
      moved = flow.receive_some() || moved;
      if (!flow.is_done()) progress = flow.progress();
    }
    if (moved)
      deadline = os::now() + traffic_patience;
    else
      wait(link, deadline, progress);
  }
}

void try_bytes(SelftestLink& link) {
  std::array flows{SelftestFlow{link.client.get(), link.origin.get(), 1, exact_bytes, true},
                   SelftestFlow{link.origin.get(), link.client.get(), 2, exact_bytes, true}};
  run_flows(link, flows);
}

void try_half_close(SelftestLink& link) {
  std::array question{SelftestFlow{link.client.get(), link.origin.get(), 3, 100'000, true}};
  run_flows(link, question);
  std::array answer{SelftestFlow{link.origin.get(), link.client.get(), 4, 300'000, true}};
  run_flows(link, answer);
}

void try_urgent(SelftestLink& link) {
  urgent_one_way(link, link.client.get(), link.origin.get());
  urgent_one_way(link, link.origin.get(), link.client.get());
}

void try_slow_reader(SelftestLink& link) {
  std::array flows{SelftestFlow{link.client.get(), link.origin.get(), 5, slow_bytes, true}};
  // Until nobody takes anything any more.
  base::Instant still_since = os::now();
  while (!flows[0].is_sent() && os::now() - still_since < stillness) {
    if (flows[0].send_some())
      still_since = os::now();
    else
      link.poller.wait(std::chrono::milliseconds{5});
  }
  if (flows[0].is_sent())
    throw SelftestFault{fmt::format(
        "{} MiB were taken although nobody read: the sender is not held back", slow_bytes >> 20)};
  run_flows(link, flows);
}

void send_text(SelftestLink& link, std::string_view text) {
  if (os::send(link.client.get(), bytes_of(text)).bytes != text.size())
    throw SelftestFault{"a request could not be sent"};
}

void expect_body(SelftestLink& link, std::uint64_t stream, std::uint64_t begin, std::uint64_t bytes,
                 bool slowly) {
  const int socket = link.client.get();
  if (slowly) link.poller.wait(stillness);
  std::string text;
  while (text.find("\r\n\r\n") == std::string::npos) {
    const std::string part = read_some(link, socket, 65'536);
    if (part.empty()) throw SelftestFault{"the answer ended in its header"};
    text += part;
  }
  text.erase(0, text.find("\r\n\r\n") + 4);
  std::uint64_t received = 0;
  for (;;) {
    for (const char byte : text) {
      if (received == bytes ||
          static_cast<std::byte>(byte) != selftest_byte(stream, begin + received))
        throw SelftestFault{fmt::format("the byte at offset {} is wrong", begin + received)};
      ++received;
    }
    if (received == bytes) return;
    if (slowly) link.poller.wait(std::chrono::milliseconds{1});
    text = read_some(link, socket, 65'536);
    if (text.empty())
      throw SelftestFault{fmt::format("the answer ended after {} of {} bytes", received, bytes)};
  }
}

}  // namespace penstock::cli
