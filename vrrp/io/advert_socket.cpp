#include "vrrp/io/advert_socket.hpp"

#include "core/buffer.hpp"
#include "vrrp/core/ah.hpp"
#include "vrrp/io/ipv4_header.hpp"
#include "vrrp/io/ipv6_envelope.hpp"
#include "vrrp/io/send_batches.hpp"

#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>
#include <tuple>

namespace holdfast::vrrp {
namespace {

/// A paused process finds its peers' packets of about a minute, 200 instances at 10 ms.
constexpr int kReceiveBufferBytes = 4 << 20;
constexpr int kTrafficClass = 0xc0;    // CS6, internetwork control, as keepalived and FRR mark it
constexpr int kIpv6MulticastAll = 29;  // linux/in6.h: IPV6_MULTICAST_ALL, not in the C library's

template <class Value>
bool set_option(int fd, int level, int name, const Value& value) {
  return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

bool attach(int fd, std::vector<sock_filter> program) {
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return set_option(fd, SOL_SOCKET, SO_ATTACH_FILTER, filter);
}

bool prepare_v4(int fd, int index) {
  const ip_mreqn outgoing{.imr_multiaddr = {}, .imr_address = {}, .imr_ifindex = index};
  return set_option(fd, IPPROTO_IP, IP_HDRINCL, 1) &&
         set_option(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0) &&
         set_option(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0) &&
         set_option(fd, IPPROTO_IP, IP_MULTICAST_IF, outgoing);
}

// Without IPV6_CHECKSUM: the kernel would drop a wrong one unseen and uncounted. Freely bound, so
// that a master can resign from an address that was taken away.
bool prepare_v6(int fd, int index) {
  return set_option(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1) &&
         set_option(fd, IPPROTO_IPV6, kIpv6MulticastAll, 0) &&
         set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0) &&
         set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, index) &&
         set_option(fd, IPPROTO_IPV6, IPV6_TCLASS, kTrafficClass) &&
         set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) &&
         set_option(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
}

sockaddr_storage target_of(const IpAddress& address, std::uint32_t index) {
  sockaddr_storage target{};
  if (address.is_v4()) {
    auto& known = reinterpret_cast<sockaddr_in&>(target);
    known.sin_family = AF_INET;
    std::memcpy(&known.sin_addr, address.bytes().data(), address.bytes().size());
  } else {
    auto& known = reinterpret_cast<sockaddr_in6&>(target);
    known.sin6_family = AF_INET6;
    std::memcpy(&known.sin6_addr, address.bytes().data(), address.bytes().size());
    if (address.is_link_local() || address.is_multicast()) known.sin6_scope_id = index;
  }
  return target;
}

}  // namespace

void PacketQueue::add(const SendAdvert& advert, const Letter& letter, std::size_t tag) {
  const Departure& departure = *advert.departure;
  if (letter.destination.is_v4()) {
    encode_ipv4(departure, letter, advert.identification, bytes_);
  } else {
    bytes_.insert(bytes_.end(), letter.payload.begin(), letter.payload.end());
  }
  packets_.push_back(
      {bytes_.size(), tag, departure.source, letter.destination, departure.hop_limit});
}

void PacketQueue::clear() {
  core::empty_for_reuse(bytes_, kKeptBytes);
  core::empty_for_reuse(packets_, kKeptPackets);
}

std::span<std::uint8_t> PacketQueue::bytes(std::size_t index) {
  const std::size_t begin = index == 0 ? 0 : packets_[index - 1].end;
  return std::span(bytes_).subspan(begin, packets_[index].end - begin);
}

core::Result<AdvertSocket> AdvertSocket::open(const std::string& interface, std::uint32_t index,
                                              core::Family family, Carrier carrier) {
  const bool is_v4 = family == core::Family::v4;
  runtime::UniqueFd fd(::socket(is_v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
                                carrier == Carrier::ip ? kIpProtocolVrrp : kIpProtocolAh));
  const bool is_bound = !interface.empty();
  const std::string place = is_bound ? "on " + interface : "between unicast peers";
  if (!fd) {
    return core::fail_errno(
        errno, "cannot open a raw socket for VRRP {} (it needs root or CAP_NET_RAW)", place);
  }
  // The filter first: a raw socket hears everything from its first moment.
  const bool ready =
      attach(fd.get(), vrid_filter(family, {}, carrier)) &&
      (!is_bound || ::setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(),
                                 static_cast<socklen_t>(interface.size() + 1)) == 0) &&
      (is_v4 ? prepare_v4(fd.get(), static_cast<int>(index))
             : prepare_v6(fd.get(), static_cast<int>(index)));
  if (!ready) return core::fail_errno(errno, "cannot listen for VRRP {}", place);
  // A router's control traffic goes first: TC_PRIO_CONTROL of linux/pkt_sched.h. Both are wishes,
  // not conditions.
  set_option(fd.get(), SOL_SOCKET, SO_PRIORITY, 7);
  if (!set_option(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, kReceiveBufferBytes)) {
    set_option(fd.get(), SOL_SOCKET, SO_RCVBUF, kReceiveBufferBytes);
  }
  return AdvertSocket(std::move(fd), index, family, carrier);
}

// The same two options serve both families: RFC 3678 §5.1.
bool AdvertSocket::set_membership(const IpAddress& group, int option) const {
  const group_req request{.gr_interface = index_, .gr_group = target_of(group, 0)};
  const int level = family_ == core::Family::v4 ? IPPROTO_IP : IPPROTO_IPV6;
  return set_option(fd_.get(), level, option, request);
}

Deafness AdvertSocket::join(const std::set<IpAddress>& groups) {
  Deafness deaf;
  for (const IpAddress& group : groups) {
    if (groups_.contains(group)) continue;
    if (set_membership(group, MCAST_JOIN_GROUP)) {
      groups_.insert(group);
      continue;
    }
    const int error = errno;
    const auto* hint =
        error == ENOBUFS ? " (net.ipv4.igmp_max_memberships limits the groups of one socket)" : "";
    deaf.groups.insert(group);
    deaf.sentence =
        core::fail_errno(error, "cannot join the group {}{}", group.to_string(), hint).message;
  }
  return deaf;
}

// Leaves before it joins: the kernel counts.
Deafness AdvertSocket::listen_to(const Ears& wanted) {
  for (const IpAddress& group : std::set(groups_)) {
    if (wanted.groups.contains(group)) continue;
    std::ignore = set_membership(group, MCAST_LEAVE_GROUP);  // it went with its interface
    groups_.erase(group);
  }
  const Deafness deaf = join(wanted.groups);
  std::bitset<256> vrids;
  for (const std::uint8_t vrid : wanted.vrids) vrids.set(vrid);
  if (vrids == vrids_) return deaf;
  const auto filter = vrid_filter(family_, wanted.vrids, carrier_);
  if (!attach(fd_.get(), filter))  // replaces the former in one step
    return {{}, core::fail_errno(errno, "cannot set the filter of the VRRP socket").message};
  vrids_ = vrids;
  return deaf;
}

AdvertSocket::Drained AdvertSocket::drain(ReceiveBuffer& buffer, std::size_t bound,
                                          const std::function<void(Decoded<Received>)>& take) {
  const bool is_v4 = family_ == core::Family::v4;
  const std::size_t room = is_v4 ? kMaxPacketBytes : kMaxV6PayloadBytes;
  const std::size_t slots = std::min(kBatchPackets, buffer.bytes.size() / room);
  std::array<mmsghdr, kBatchPackets> headers{};
  std::array<iovec, kBatchPackets> pieces{};
  std::array<Ipv6Envelope, kBatchPackets> envelopes{};
  for (std::size_t i = 0; i < slots; ++i) {
    pieces[i] = {buffer.bytes.data() + i * room, room};
    headers[i].msg_hdr.msg_iov = &pieces[i];
    headers[i].msg_hdr.msg_iovlen = 1;
  }
  for (std::size_t total = 0; total < bound;) {
    if (!is_v4) {  // the kernel writes their used lengths over their sizes
      for (std::size_t i = 0; i < slots; ++i) envelopes[i].receive_into(headers[i].msg_hdr);
    }
    const int count =
        ::recvmmsg(fd_.get(), headers.data(), static_cast<unsigned>(slots), MSG_DONTWAIT, nullptr);
    if (count < 0 && errno == EINTR) continue;
    // ENETDOWN is reported once when the interface goes down: what was queued before it is still
    // there.
    if (count < 0 && errno == ENETDOWN) {
      ++total;
      continue;
    }
    if (count <= 0) return Drained::all;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      const std::span<const std::uint8_t> bytes(buffer.bytes.data() + i * room, headers[i].msg_len);
      take(is_v4 ? decode_ipv4(bytes) : envelopes[i].received(headers[i].msg_hdr, bytes));
    }
    if (static_cast<std::size_t>(count) < slots) return Drained::all;
    total += static_cast<std::size_t>(count);
  }
  return Drained::bound_reached;
}

void AdvertSocket::send(PacketQueue& queue, const std::function<void(std::size_t, int)>& refused) {
  std::array<iovec, kSendBatch> pieces{};
  std::array<sockaddr_storage, kSendBatch> targets{};
  std::array<Ipv6Envelope, kSendBatch> envelopes{};
  send_batches(
      fd_.get(), queue.size(),
      [&](std::size_t index, std::size_t slot, msghdr& header) {
        const std::span<std::uint8_t> bytes = queue.bytes(index);
        const PacketQueue::Packet& packet = queue[index];
        const bool is_v4 = family_ == core::Family::v4;
        pieces[slot] = {bytes.data(), bytes.size()};
        targets[slot] = target_of(packet.destination, index_);
        header = {};
        header.msg_name = &targets[slot];
        header.msg_namelen = is_v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
        header.msg_iov = &pieces[slot];
        header.msg_iovlen = 1;
        if (!is_v4) envelopes[slot].send_with(header, packet.source, packet.hop_limit, index_);
      },
      [&](std::size_t index, int error) {
        refused(index, error);
        return Refusal::skip;
      });
}

}  // namespace holdfast::vrrp
