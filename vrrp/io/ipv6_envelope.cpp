#include "vrrp/io/ipv6_envelope.hpp"

#include <cstring>
#include <optional>

namespace holdfast::vrrp {
namespace {

IpAddress address_of(const in6_addr& address) {
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), &address, bytes.size());
  return IpAddress::v6(bytes);
}

template <class Value>
void put(cmsghdr& item, int type, const Value& value) {
  item.cmsg_level = IPPROTO_IPV6;
  item.cmsg_type = type;
  item.cmsg_len = CMSG_LEN(sizeof value);
  std::memcpy(CMSG_DATA(&item), &value, sizeof value);
}

}  // namespace

void Ipv6Envelope::receive_into(msghdr& header) {
  header.msg_name = &peer_;
  header.msg_namelen = sizeof peer_;
  header.msg_control = control_.data();
  header.msg_controllen = control_.size();
}

Decoded<Received> Ipv6Envelope::received(const msghdr& header,
                                         std::span<const std::uint8_t> payload) const {
  Received packet;
  packet.family = core::Family::v6;
  packet.source = address_of(peer_.sin6_addr);
  packet.payload = payload;
  std::optional<IpAddress> destination;
  msghdr copy = header;  // CMSG_NXTHDR wants one that may be changed
  for (cmsghdr* item = CMSG_FIRSTHDR(&copy); item != nullptr; item = CMSG_NXTHDR(&copy, item)) {
    if (item->cmsg_level != IPPROTO_IPV6) continue;
    if (item->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(item), sizeof info);
      destination = address_of(info.ipi6_addr);
    } else if (item->cmsg_type == IPV6_HOPLIMIT) {
      int hops = 0;
      std::memcpy(&hops, CMSG_DATA(item), sizeof hops);
      packet.hop_limit = static_cast<std::uint8_t>(hops);
    }
  }
  if (!destination) return DecodeError::not_vrrp;
  packet.destination = *destination;
  return packet;
}

void Ipv6Envelope::send_with(msghdr& header, const IpAddress& source, std::uint8_t hop_limit,
                             std::uint32_t interface) {
  header.msg_control = control_.data();
  header.msg_controllen = control_.size();
  in6_pktinfo info{};
  std::memcpy(&info.ipi6_addr, source.bytes().data(), source.bytes().size());
  // Bound to the device already; a source that is on another interface would be refused with it.
  if (source.is_link_local()) info.ipi6_ifindex = interface;
  cmsghdr* item = CMSG_FIRSTHDR(&header);
  put(*item, IPV6_PKTINFO, info);
  put(*CMSG_NXTHDR(&header, item), IPV6_HOPLIMIT, int{hop_limit});
}

}  // namespace holdfast::vrrp
