#include "ctl/wire_tap.hpp"

#include "runtime/clock.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace holdfast::ctl {
namespace {

constexpr int kReceiveBufferBytes = 4 << 20;
/// 224.0.0.18 and ff02::12 of VRRP and CARP; the rest are HSRP's.
constexpr std::array kStandardGroups{"224.0.0.18", "ff02::12", "224.0.0.2", "224.0.0.102",
                                     "ff02::66"};

template <class Value>
bool set_option(int fd, int level, int name, const Value& value) {
  return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

// From the IP header on: protocols 112 and 51, and UDP to HSRP's ports. A frame with a VLAN tag
// comes again, without it, on the VLAN's own interface.
std::vector<sock_filter> protocol_filter() {
  const auto byte_at = [](std::uint32_t at) {
    return sock_filter(BPF_STMT(BPF_LD | BPF_B | BPF_ABS, at));
  };
  const auto equal = [](std::uint32_t k, std::uint8_t yes, std::uint8_t no) {
    return sock_filter(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, yes, no));
  };
  constexpr auto kVlanTag = static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT);
  return {
      byte_at(kVlanTag),
      equal(0, 0, 17),  // tagged: drop
      byte_at(0),
      BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 4),  // version of IP
      equal(6, 8, 0),
      equal(4, 0, 13),  // neither: drop
      byte_at(9),       // IPv4: protocol
      equal(112, 12, 0),
      equal(51, 11, 0),
      equal(17, 0, 9),
      BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),  // X = bytes of the IPv4 header
      BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),   // port
      equal(vrrp::doctor::kHsrpPort, 7, 6),
      byte_at(6),  // IPv6: next header
      equal(112, 5, 0),
      equal(51, 4, 0),
      equal(17, 0, 2),
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 42),  // port
      equal(vrrp::doctor::kHsrpV6Port, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, 0),           // drop
      BPF_STMT(BPF_RET | BPF_K, 0xffffffff),  // take
  };
}

core::Error cannot_listen(int error) {
  return core::fail_errno(error, "cannot listen on the wire (it needs root or CAP_NET_RAW)");
}

}  // namespace

std::vector<std::string> interfaces_up() {
  std::vector<std::string> names;
  const runtime::UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  struct if_nameindex* all = ::if_nameindex();
  for (struct if_nameindex* each = all; each != nullptr && each->if_index != 0; ++each) {
    ifreq request{};
    std::strncpy(request.ifr_name, each->if_name, IFNAMSIZ - 1);
    if (::ioctl(fd.get(), SIOCGIFFLAGS, &request) != 0) continue;  // it is gone meanwhile
    if ((request.ifr_flags & IFF_UP) != 0 && (request.ifr_flags & IFF_LOOPBACK) == 0)
      names.emplace_back(each->if_name);
  }
  ::if_freenameindex(all);
  return names;
}

core::Result<WireTap> WireTap::open(const std::vector<std::string>& interfaces,
                                    const std::set<core::IpAddress>& groups) {
  // Of no protocol until the filter is set: nothing else is ever read.
  WireTap tap(runtime::UniqueFd(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)));
  if (!tap.fd_) return cannot_listen(errno);
  std::vector<sock_filter> program = protocol_filter();
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  if (!set_option(tap.fd_.get(), SOL_SOCKET, SO_ATTACH_FILTER, filter)) return cannot_listen(errno);
  if (!set_option(tap.fd_.get(), SOL_SOCKET, SO_RCVBUFFORCE, kReceiveBufferBytes))
    set_option(tap.fd_.get(), SOL_SOCKET, SO_RCVBUF, kReceiveBufferBytes);
  std::set<core::IpAddress> all = groups;
  for (const char* each : kStandardGroups) all.insert(core::IpAddress::parse(each).value());
  for (const std::string& name : interfaces) {
    const unsigned index = ::if_nametoindex(name.c_str());
    if (index == 0) return core::fail("there is no interface {} on this host", name);
    tap.interfaces_.emplace(static_cast<int>(index), name);
    if (tap.members_.size() < kMostJoined) tap.join(static_cast<int>(index), all);
  }
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);  // ETH_P_IP would not hear what this host sends
  address.sll_ifindex = interfaces.size() == 1 ? tap.interfaces_.begin()->first : 0;
  if (::bind(tap.fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return cannot_listen(errno);
  return tap;
}

// What cannot be joined may come all the same: it is a wish. The interface lets all groups in while
// the tap lives; the memberships are for the switches.
void WireTap::join(int index, const std::set<core::IpAddress>& groups) {
  const packet_mreq everything{
      .mr_ifindex = index, .mr_type = PACKET_MR_ALLMULTI, .mr_alen = 0, .mr_address = {}};
  set_option(fd_.get(), SOL_PACKET, PACKET_ADD_MEMBERSHIP, everything);
  for (const core::Family family : {core::Family::v4, core::Family::v6}) {
    const bool is_v4 = family == core::Family::v4;
    runtime::UniqueFd fd(::socket(is_v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!fd) continue;
    for (const core::IpAddress& each : groups) {
      if (each.family() != family) continue;
      group_req request{};
      request.gr_interface = static_cast<std::uint32_t>(index);
      if (is_v4) {
        auto& group = reinterpret_cast<sockaddr_in&>(request.gr_group);
        group.sin_family = AF_INET;
        std::memcpy(&group.sin_addr, each.bytes().data(), each.bytes().size());
      } else {
        auto& group = reinterpret_cast<sockaddr_in6&>(request.gr_group);
        group.sin6_family = AF_INET6;
        std::memcpy(&group.sin6_addr, each.bytes().data(), each.bytes().size());
      }
      set_option(fd.get(), is_v4 ? IPPROTO_IP : IPPROTO_IPV6, MCAST_JOIN_GROUP, request);
    }
    members_.push_back(std::move(fd));
  }
}

void WireTap::listen(core::Duration duration,
                     const std::function<void(const vrrp::doctor::Frame&)>& take) {
  const core::Instant end = runtime::now() + duration;
  for (core::Instant now = runtime::now(); now < end; now = runtime::now()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - now).count();
    pollfd ear{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&ear, 1, static_cast<int>(left)) > 0) read_one(take);
  }
  tpacket_stats statistics{};
  socklen_t size = sizeof statistics;
  if (::getsockopt(fd_.get(), SOL_PACKET, PACKET_STATISTICS, &statistics, &size) == 0)
    lost_ += statistics.tp_drops;
}

void WireTap::read_one(const std::function<void(const vrrp::doctor::Frame&)>& take) {
  sockaddr_ll from{};
  socklen_t size = sizeof from;
  const ssize_t count = ::recvfrom(fd_.get(), buffer_.data(), buffer_.size(), 0,
                                   reinterpret_cast<sockaddr*>(&from), &size);
  const auto known = interfaces_.find(from.sll_ifindex);
  if (count <= 0 || known == interfaces_.end()) return;
  vrrp::doctor::Frame frame{.interface = known->second,
                            .mac = {},
                            .is_ours = from.sll_pkttype == PACKET_OUTGOING,
                            .packet = std::span(buffer_).first(static_cast<std::size_t>(count))};
  if (from.sll_halen == frame.mac.bytes.size())
    std::memcpy(frame.mac.bytes.data(), from.sll_addr, frame.mac.bytes.size());
  take(frame);
}

}  // namespace holdfast::ctl
