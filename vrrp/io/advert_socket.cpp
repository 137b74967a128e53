#include "vrrp/io/advert_socket.hpp"

#include "core/buffer.hpp"
#include "vrrp/io/ipv4_header.hpp"
#include "vrrp/io/send_batches.hpp"
#include "vrrp/io/vrid_filter.hpp"

#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>

namespace holdfast::vrrp {
namespace {

/// A paused process finds its peers' packets of about a minute, 200 instances at 10 ms.
constexpr int kReceiveBufferBytes = 4 << 20;
constexpr std::uint32_t kGroup = 0xe0000012;  // 224.0.0.18

template <class Value>
bool set_option(int fd, int level, int name, const Value& value) {
  return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

bool attach(int fd, std::vector<sock_filter> program) {
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return set_option(fd, SOL_SOCKET, SO_ATTACH_FILTER, filter);
}

}  // namespace

void PacketQueue::add(const SendAdvert& advert, const IpAddress& destination, std::size_t tag) {
  encode_ipv4(*advert.departure, destination, advert.identification, bytes_);
  packets_.push_back({bytes_.size(), tag, destination});
}

void PacketQueue::clear() {
  core::empty_for_reuse(bytes_, kKeptBytes);
  core::empty_for_reuse(packets_, kKeptPackets);
}

std::span<std::uint8_t> PacketQueue::packet(std::size_t index) {
  const std::size_t begin = index == 0 ? 0 : packets_[index - 1].end;
  return std::span(bytes_).subspan(begin, packets_[index].end - begin);
}

core::Result<AdvertSocket> AdvertSocket::open(const std::string& interface, std::uint32_t index) {
  runtime::UniqueFd fd(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, kIpProtocolVrrp));
  if (!fd) {
    return core::fail_errno(
        errno, "cannot open a raw socket for VRRP on {} (it needs root or CAP_NET_RAW)", interface);
  }
  const ip_mreqn membership{
      .imr_multiaddr = {htonl(kGroup)}, .imr_address = {}, .imr_ifindex = static_cast<int>(index)};
  const int on = 1;
  const int off = 0;
  // The filter first: a raw socket hears everything from its first moment.
  const bool ready = attach(fd.get(), vrid_filter({})) &&
                     ::setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(),
                                  static_cast<socklen_t>(interface.size() + 1)) == 0 &&
                     set_option(fd.get(), IPPROTO_IP, IP_HDRINCL, on) &&
                     set_option(fd.get(), IPPROTO_IP, IP_MULTICAST_ALL, off) &&
                     set_option(fd.get(), IPPROTO_IP, IP_MULTICAST_LOOP, off) &&
                     set_option(fd.get(), IPPROTO_IP, IP_MULTICAST_IF, membership) &&
                     set_option(fd.get(), IPPROTO_IP, IP_ADD_MEMBERSHIP, membership);
  if (!ready) return core::fail_errno(errno, "cannot listen for VRRP on {}", interface);
  // A router's control traffic goes first: TC_PRIO_CONTROL of linux/pkt_sched.h. Both are wishes,
  // not conditions.
  set_option(fd.get(), SOL_SOCKET, SO_PRIORITY, 7);
  if (!set_option(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, kReceiveBufferBytes)) {
    set_option(fd.get(), SOL_SOCKET, SO_RCVBUF, kReceiveBufferBytes);
  }
  return AdvertSocket(std::move(fd), index);
}

core::Result<void> AdvertSocket::set_vrids(const std::set<std::uint8_t>& vrids) {
  std::bitset<256> wanted;
  for (const std::uint8_t vrid : vrids) wanted.set(vrid);
  if (wanted == vrids_) return {};
  if (!attach(fd_.get(), vrid_filter(vrids)))  // replaces the former program in one step
    return core::fail_errno(errno, "cannot set the filter of the VRRP socket");
  vrids_ = wanted;
  return {};
}

AdvertSocket::Drained AdvertSocket::drain(
    ReceiveBuffer& buffer, const std::function<void(std::span<const std::uint8_t>)>& take) {
  std::array<mmsghdr, kBatchPackets> headers{};
  std::array<iovec, kBatchPackets> pieces{};
  for (std::size_t i = 0; i < kBatchPackets; ++i) {
    pieces[i] = {buffer.packets[i].data(), kMaxPacketBytes};
    headers[i].msg_hdr.msg_iov = &pieces[i];
    headers[i].msg_hdr.msg_iovlen = 1;
  }
  for (std::size_t total = 0; total < kMaxDrainPackets;) {
    const int count = ::recvmmsg(fd_.get(), headers.data(), kBatchPackets, MSG_DONTWAIT, nullptr);
    if (count < 0 && errno == EINTR) continue;
    // ENETDOWN is reported once when the interface goes down: what was queued before it is still
    // there.
    if (count < 0 && errno == ENETDOWN) {
      ++total;
      continue;
    }
    if (count <= 0) return Drained::all;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i)
      take({buffer.packets[i].data(), headers[i].msg_len});
    if (static_cast<std::size_t>(count) < kBatchPackets) return Drained::all;
    total += static_cast<std::size_t>(count);
  }
  return Drained::bound_reached;
}

void AdvertSocket::send(PacketQueue& queue, const std::function<void(std::size_t, int)>& refused) {
  std::array<iovec, kSendBatch> pieces{};
  std::array<sockaddr_in, kSendBatch> targets{};
  send_batches(
      fd_.get(), queue.size(),
      [&](std::size_t index, std::size_t slot, msghdr& header) {
        const std::span<std::uint8_t> packet = queue.packet(index);
        pieces[slot] = {packet.data(), packet.size()};
        targets[slot] = {};
        targets[slot].sin_family = AF_INET;
        const auto address = queue.destination(index).bytes();
        std::memcpy(&targets[slot].sin_addr, address.data(), address.size());
        header = {&targets[slot], sizeof targets[slot], &pieces[slot], 1, nullptr, 0, 0};
      },
      [&](std::size_t index, int error) {
        refused(index, error);
        return Refusal::skip;
      });
}

}  // namespace holdfast::vrrp
