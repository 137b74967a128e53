#include "vrrp/io/announce_socket.hpp"

#include <cerrno>
#include <cstring>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <sys/socket.h>

namespace holdfast::vrrp {
namespace {

/// A burst of five rounds over a thousand addresses, with the kernel's own overhead.
constexpr int kSendBufferBytes = 8 << 20;

template <std::size_t Size>
AnnounceFrame frame_of(std::uint32_t index, const std::array<std::uint8_t, Size>& bytes) {
  AnnounceFrame frame{.interface_index = index, .size = Size, .bytes = {}};
  std::copy(bytes.begin(), bytes.end(), frame.bytes.begin());
  return frame;
}

sockaddr_ll target_of(const AnnounceFrame& frame) {
  sockaddr_ll target{};
  target.sll_family = AF_PACKET;
  std::memcpy(&target.sll_protocol, &frame.bytes[2 * ETH_ALEN], sizeof target.sll_protocol);
  target.sll_ifindex = static_cast<int>(frame.interface_index);
  target.sll_halen = ETH_ALEN;
  std::copy_n(frame.bytes.begin(), ETH_ALEN, target.sll_addr);
  return target;
}

}  // namespace

AnnounceFrame AnnounceFrame::arp(std::uint32_t index, const core::MacAddress& sender,
                                 const core::IpAddress& address) {
  return frame_of(index, gratuitous_arp(sender, address));
}

AnnounceFrame AnnounceFrame::na(std::uint32_t index, const core::MacAddress& sender,
                                const core::IpAddress& address, ForwardsPackets forwards) {
  return frame_of(index, unsolicited_na(sender, address, forwards));
}

core::Result<AnnounceSocket> AnnounceSocket::open() {
  // Protocol 0: the kernel hands us nothing.
  runtime::UniqueFd fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd)
    return core::fail_errno(
        errno, "cannot open a packet socket for announcements (it needs root or CAP_NET_RAW)");
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUFFORCE, &kSendBufferBytes, sizeof kSendBufferBytes);
  return AnnounceSocket(std::move(fd));
}

std::size_t AnnounceSocket::send(std::size_t count,
                                 const std::function<AnnounceFrame&(std::size_t)>& frame_at,
                                 const std::function<Refusal(std::size_t, int)>& refused) {
  std::array<iovec, kSendBatch> pieces{};
  std::array<sockaddr_ll, kSendBatch> targets{};
  return send_batches(
      fd_.get(), count,
      [&](std::size_t index, std::size_t slot, msghdr& header) {
        AnnounceFrame& frame = frame_at(index);
        targets[slot] = target_of(frame);
        pieces[slot] = {frame.bytes.data(), frame.size};
        header = {&targets[slot], sizeof targets[slot], &pieces[slot], 1, nullptr, 0, 0};
      },
      refused);
}

}  // namespace holdfast::vrrp
