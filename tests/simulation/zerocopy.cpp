// The part of the simulated kernel that sends without a copy. A loan is looked at when it is made
// and when the peer takes its bytes; only then comes its notice, now and then together with others.

#include <algorithm>
#include <cerrno>

#include "simulation/kernel.hpp"
#include "simulation/outside.hpp"

namespace penstock::simulation {

using os::IoResult;
using os::IoStatus;

base::ErrorCode Kernel::allow_zerocopy(int descriptor) noexcept {
  enter();
  if (fails()) return base::error_from(EOPNOTSUPP);
  socket(descriptor).may_zerocopy = true;
  return {};
}

IoResult Kernel::send_zerocopy(int descriptor, std::span<const std::byte> bytes) noexcept {
  Socket& to = socket(descriptor);
  if (!to.may_zerocopy)
    violated("MSG_ZEROCOPY is sent by who asked for it", to.connection, "SO_ZEROCOPY is not set");
  // No room for the notice: the call fails, not the socket.
  if (fails()) return {.status = IoStatus::failed, .error = ENOBUFS};
  const std::uint64_t offset = to.sent;
  const IoResult result = send(descriptor, bytes);
  if (result.status != IoStatus::moved) return result;
  if (to.next_send == 0) lenders_.push_back(table_[static_cast<std::size_t>(descriptor)].socket);
  to.loans.push_back({.number = to.next_send++,
                      .memory = bytes.first(result.bytes),
                      .offset = offset,
                      .dropped = false});
  return result;
}

void Kernel::check_loans(Socket& socket, bool all) noexcept {
  bool announced = false;
  while (!socket.loans.empty()) {
    const Socket::Loan& loan = socket.loans.front();
    const std::uint64_t end = loan.offset + loan.memory.size();
    if (!all && end > socket.taken) break;
    if (!all && !loan.dropped) world_.unchanged(socket, loan.memory, loan.offset);
    const bool follows = !socket.notices.empty() && socket.notices.back().last + 1 == loan.number;
    if (follows && random_.one_in(2))
      socket.notices.back().last = loan.number;
    else
      socket.notices.push_back(
          {.first = loan.number, .last = loan.number, .copied = random_.one_in(8)});
    socket.loans.pop_front();
    announced = true;
  }
  if (announced && !socket.closed) wake(socket);
}

std::optional<os::ZerocopyNotice> Kernel::take_notice(int descriptor) noexcept {
  enter();
  Socket& asked = socket(descriptor);
  if (asked.notices.empty()) return std::nullopt;
  // They may come out of order.
  const auto place = static_cast<std::ptrdiff_t>(random_.between(0, asked.notices.size() - 1));
  const os::ZerocopyNotice notice = asked.notices[static_cast<std::size_t>(place)];
  asked.notices.erase(asked.notices.begin() + place);
  return notice;
}

// Only the pages are the kernel's: who writes to the memory now writes to others.
void Kernel::drop_pages(std::span<const std::byte> pages) noexcept {
  const auto lies_in = [&](std::span<const std::byte> memory) {
    return memory.data() >= pages.data() && memory.data() < pages.data() + pages.size();
  };
  for (const auto& socket : lenders_)
    for (Socket::Loan& loan : socket->loans)
      if (lies_in(loan.memory)) loan.dropped = true;
}

}  // namespace penstock::simulation
