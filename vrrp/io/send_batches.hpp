// Sending many datagrams with few system calls; shared by the advert and the announcement sockets.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <sys/socket.h>

namespace holdfast::vrrp {

/// Datagrams of one sendmmsg().
inline constexpr std::size_t kSendBatch = 64;

/// Sends `count` datagrams without waiting. `fill(index, slot, header)` describes number `index`;
/// `slot` below kSendBatch names the caller's room for it, which must last until the next call with
/// that slot. One that the kernel refuses is skipped, and `refused(index, errno)` hears of it: the
/// others have their own chance.
template <class Fill, class Refused>
void send_batches(int fd, std::size_t count, const Fill& fill, const Refused& refused) {
  std::array<mmsghdr, kSendBatch> headers{};
  for (std::size_t next = 0; next < count;) {
    const std::size_t batch = std::min(kSendBatch, count - next);
    for (std::size_t i = 0; i < batch; ++i) fill(next + i, i, headers[i].msg_hdr);
    const int sent = ::sendmmsg(fd, headers.data(), static_cast<unsigned>(batch), MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent > 0) {
      next += static_cast<std::size_t>(sent);
      continue;
    }
    refused(next, errno);
    ++next;
  }
}

}  // namespace holdfast::vrrp
