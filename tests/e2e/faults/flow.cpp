#include "e2e/faults/flow.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "e2e/faults/scenario.hpp"
#include "e2e/payload.hpp"

namespace penstock::e2e {

namespace {

constexpr std::size_t block_bytes = std::size_t{1} << 20;
constexpr Milliseconds quiet_for = 300ms;

std::uint64_t differing(std::string_view one, std::string_view other) {
  if (one == other) return 0;
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < one.size(); ++i) count += one[i] != other[i] ? 1 : 0;
  return count;
}

}  // namespace

std::string_view Flow::bytes_at(std::uint64_t offset) const {
  const std::uint64_t block = offset / block_bytes;
  return payload(options_.seed * 0x1'0001 + block, block_bytes).substr(offset % block_bytes);
}

bool Flow::send_some(std::size_t bytes_max) {
  if (sender_failed_ || sent_fin_ || (sent_ == options_.bytes && !options_.fin)) return false;
  try {
    const std::size_t piece = sent_ < options_.segmented ? options_.segment : block_bytes;
    return sent_ == options_.bytes ? send_fin() : send_piece(std::min(bytes_max, piece));
  } catch (const Failure&) {
    sender_failed_ = true;
    return true;
  }
}

bool Flow::send_piece(std::size_t bytes_max) {
  const std::uint64_t left = options_.bytes - sent_;
  const auto piece = bytes_at(sent_).substr(0, std::min<std::uint64_t>(left, bytes_max));
  const std::size_t taken = sender_->send_now(piece);
  sent_ += taken;
  return taken > 0;
}

bool Flow::send_fin() {
  sender_->finish_sending();
  sent_fin_ = true;
  return true;
}

bool Flow::receive_some() {
  if (ending_ != Ending::open) return false;
  std::array<char, 262'144> chunk;
  const auto bytes = ::recv(receiver_->descriptor(), chunk.data(), chunk.size(), MSG_DONTWAIT);
  if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (bytes > 0)
    take({chunk.data(), static_cast<std::size_t>(bytes)});
  else
    ending_ = bytes == 0 ? Ending::fin : Ending::reset;
  return true;
}

void Flow::take(std::string_view bytes) {
  digest_.add(bytes);
  while (!bytes.empty()) {
    const auto expected = bytes_at(received_);
    const std::size_t length = std::min(expected.size(), bytes.size());
    wrong_bytes_ += differing(bytes.substr(0, length), expected.substr(0, length));
    received_ += length;
    bytes.remove_prefix(length);
  }
}

bool Flow::finished() const noexcept {
  if (ending_ != Ending::open) return true;
  return !options_.fin && received_ >= options_.bytes;
}

bool Flow::whole() const noexcept {
  const Ending right = options_.fin ? Ending::fin : Ending::open;
  return received_ == options_.bytes && wrong_bytes_ == 0 && ending_ == right;
}

void stuff(std::vector<Flow>& flows) {
  for (auto quiet_since = Clock::now(); Clock::now() - quiet_since < quiet_for;) {
    bool moved = false;
    for (Flow& flow : flows) moved = flow.send_some() || moved;
    if (moved)
      quiet_since = Clock::now();
    else
      ::poll(nullptr, 0, 1);
  }
}

void run(std::vector<Flow>& flows, Milliseconds deadline) {
  const auto end = Clock::now() + deadline;
  const auto finished = [](const Flow& flow) { return flow.finished(); };
  while (!std::all_of(flows.begin(), flows.end(), finished) && Clock::now() < end) {
    bool moved = false;
    for (Flow& flow : flows) {
      moved = flow.send_some() || moved;
      moved = flow.receive_some() || moved;
    }
    if (!moved) ::poll(nullptr, 0, 1);
  }
}

std::size_t whole_of(const std::vector<Flow>& flows) {
  return static_cast<std::size_t>(
      std::count_if(flows.begin(), flows.end(), [](const Flow& flow) { return flow.whole(); }));
}

std::string first_fault(const std::vector<Flow>& flows) {
  for (const Flow& flow : flows)
    if (!flow.whole())
      return fmt::format(" ({} of {} bytes, {} of them wrong, {})", flow.received(), flow.bytes(),
                         flow.wrong_bytes(), name_of(flow.ending()));
  return {};
}

}  // namespace penstock::e2e
