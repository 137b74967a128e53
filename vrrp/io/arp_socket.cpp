#include "vrrp/io/arp_socket.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <sys/socket.h>

namespace holdfast::vrrp {
namespace {

constexpr std::size_t kBatchFrames = 64;
/// A burst of five rounds over a thousand addresses, with the kernel's own overhead.
constexpr int kSendBufferBytes = 8 << 20;

}  // namespace

core::Result<ArpSocket> ArpSocket::open() {
  // Protocol 0: the kernel hands us nothing.
  runtime::UniqueFd fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd)
    return core::fail_errno(errno,
                            "cannot open a packet socket for ARP (it needs root or CAP_NET_RAW)");
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUFFORCE, &kSendBufferBytes, sizeof kSendBufferBytes);
  return ArpSocket(std::move(fd));
}

int ArpSocket::send(std::vector<ArpFrame>& frames) {
  std::array<mmsghdr, kBatchFrames> headers{};
  std::array<iovec, kBatchFrames> pieces{};
  std::array<sockaddr_ll, kBatchFrames> targets{};
  int first_error = 0;
  for (std::size_t next = 0; next < frames.size();) {
    const std::size_t batch = std::min(kBatchFrames, frames.size() - next);
    for (std::size_t i = 0; i < batch; ++i) {
      ArpFrame& frame = frames[next + i];
      targets[i] = {};
      targets[i].sll_family = AF_PACKET;
      targets[i].sll_protocol = htons(ETH_P_ARP);
      targets[i].sll_ifindex = static_cast<int>(frame.interface_index);
      targets[i].sll_halen = ETH_ALEN;
      std::fill_n(targets[i].sll_addr, ETH_ALEN, std::uint8_t{0xff});
      pieces[i] = {frame.bytes.data(), frame.bytes.size()};
      headers[i].msg_hdr = {&targets[i], sizeof targets[i], &pieces[i], 1, nullptr, 0, 0};
    }
    const int sent =
        ::sendmmsg(fd_.get(), headers.data(), static_cast<unsigned>(batch), MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent > 0) {
      next += static_cast<std::size_t>(sent);
      continue;
    }
    if (first_error == 0) first_error = errno;
    ++next;
  }
  return first_error;
}

}  // namespace holdfast::vrrp
