#include "vrrp/io/arp_socket.hpp"

#include "vrrp/io/send_batches.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <sys/socket.h>

namespace holdfast::vrrp {
namespace {

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
  std::array<iovec, kSendBatch> pieces{};
  std::array<sockaddr_ll, kSendBatch> targets{};
  return send_batches(fd_.get(), frames.size(),
                      [&](std::size_t index, std::size_t slot, msghdr& header) {
                        ArpFrame& frame = frames[index];
                        sockaddr_ll& target = targets[slot];
                        target = {};
                        target.sll_family = AF_PACKET;
                        target.sll_protocol = htons(ETH_P_ARP);
                        target.sll_ifindex = static_cast<int>(frame.interface_index);
                        target.sll_halen = ETH_ALEN;
                        std::fill_n(target.sll_addr, ETH_ALEN, std::uint8_t{0xff});
                        pieces[slot] = {frame.bytes.data(), frame.bytes.size()};
                        header = {&target, sizeof target, &pieces[slot], 1, nullptr, 0, 0};
                      });
}

}  // namespace holdfast::vrrp
