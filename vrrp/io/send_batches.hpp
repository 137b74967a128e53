// Sending many datagrams with few system calls; shared by the advert and the announcement sockets.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <sys/socket.h>

namespace holdfast::vrrp {

/// Datagrams of one sendmmsg().
inline constexpr std::size_t kSendBatch = 64;

/// What becomes of a datagram that the kernel did not take, and of those behind it.
enum class Refusal : std::uint8_t { skip, stop };

/// Sends `count` datagrams without waiting and returns how many are done with. `fill(index, slot,
/// header)` describes number `index`; `slot` below kSendBatch names the caller's room for it, which
/// must last until the next call with that slot. Of one that the kernel refuses `refused(index,
/// errno)` hears: skipped, the others have their own chance.
template <class Fill, class Refused>
std::size_t send_batches(int fd, std::size_t count, const Fill& fill, const Refused& refused) {
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
    if (refused(next, errno) == Refusal::stop) return next;
    ++next;
  }
  return count;
}

}  // namespace holdfast::vrrp
