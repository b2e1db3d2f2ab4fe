#include "os/zerocopy.hpp"

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace penstock::os {

base::ErrorCode allow_zerocopy(int socket) noexcept {
  const int on = 1;
  const int set = ::setsockopt(socket, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on);
  return set == 0 ? base::ErrorCode{} : base::error_from(errno);
}

IoResult send_zerocopy(int socket, std::span<const std::byte> bytes) noexcept {
  for (;;) {
    const ssize_t count = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_ZEROCOPY);
    if (count > 0) return {.status = IoStatus::moved, .bytes = static_cast<std::size_t>(count)};
    if (errno == EAGAIN) return {.status = IoStatus::would_block};
    if (errno != EINTR) return {.status = IoStatus::failed, .error = errno};
  }
}

std::optional<ZerocopyNotice> take_zerocopy_notice(int socket) noexcept {
  for (;;) {
    // Room for the notice, and for the address that the kernel adds behind it.
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(sock_extended_err) + sizeof(sockaddr_in6))];
    msghdr message{};
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    if (::recvmsg(socket, &message, MSG_ERRQUEUE) < 0) {
      if (errno == EINTR) continue;
      return std::nullopt;
    }
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    if (header == nullptr) continue;
    sock_extended_err error{};
    std::memcpy(&error, CMSG_DATA(header), sizeof error);
    // The queue also has time stamps and ICMP errors, for who asked for them; we did not.
    if (error.ee_origin != SO_EE_ORIGIN_ZEROCOPY) continue;
    return ZerocopyNotice{.first = error.ee_info,
                          .last = error.ee_data,
                          .copied = (error.ee_code & SO_EE_CODE_ZEROCOPY_COPIED) != 0};
  }
}

}  // namespace penstock::os
