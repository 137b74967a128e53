#include "ctl/real_server_host.hpp"

#include "core/freed.hpp"
#include "runtime/unique_fd.hpp"

#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/socket.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <ifaddrs.h>
#include <linux/fou.h>
#include <linux/if_addr.h>
#include <linux/if_tunnel.h>
#include <linux/ip6_tunnel.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

namespace holdfast::ctl {
namespace {

using AddressHandle = std::unique_ptr<rtnl_addr, core::Freed<rtnl_addr_put>>;
using LinkHandle = std::unique_ptr<rtnl_link, core::Freed<rtnl_link_put>>;
using NlAddress = std::unique_ptr<nl_addr, core::Freed<nl_addr_put>>;
using NlMessage = std::unique_ptr<nl_msg, core::Freed<nlmsg_free>>;
using NlSocket = std::unique_ptr<nl_sock, core::Freed<nl_socket_free>>;

std::string words_of(int nl_error) {
  return nl_geterror(nl_error);
}

std::string switch_file(const std::string& path) {
  return "/proc/sys/net/" + path;
}

std::optional<core::IpAddress> address_of(const sockaddr& from) {
  if (from.sa_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(from);
    return core::IpAddress::from_bytes(
        {reinterpret_cast<const std::uint8_t*>(&in.sin_addr), sizeof in.sin_addr});
  }
  if (from.sa_family == AF_INET6) {
    const auto& in6 = reinterpret_cast<const sockaddr_in6&>(from);
    return core::IpAddress::from_bytes({in6.sin6_addr.s6_addr, sizeof in6.sin6_addr});
  }
  return std::nullopt;
}

/// The request for one address; nullptr: no memory, or the device is gone.
AddressHandle request_for(const core::IpAddress& address, const std::string& device) {
  const unsigned index = if_nametoindex(device.c_str());
  AddressHandle request(rtnl_addr_alloc());
  const auto bytes = address.bytes();
  const NlAddress local(
      nl_addr_build(address.is_v4() ? AF_INET : AF_INET6, bytes.data(), bytes.size()));
  if (!request || !local || index == 0) return nullptr;
  rtnl_addr_set_ifindex(request.get(), static_cast<int>(index));
  rtnl_addr_set_local(request.get(), local.get());
  rtnl_addr_set_prefixlen(request.get(), address.max_prefix_length());
  return request;
}

/// The kernel's own device can be changed by this old call only. Returns errno.
int tunnel_request(unsigned long request, const std::string& device, ip6_tnl_parm& settings) {
  const runtime::UniqueFd control(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq about{};
  std::memcpy(about.ifr_name, device.data(), std::min(device.size(), sizeof about.ifr_name - 1));
  about.ifr_data = reinterpret_cast<char*>(&settings);
  if (request == SIOCGETTUNNEL) std::memcpy(settings.name, about.ifr_name, sizeof settings.name);
  return ioctl(control.get(), request, &about) == 0 ? 0 : errno;
}

/// One request of the "fou" family. genetlink loads its module when its name is asked for.
int fou_request(std::uint8_t command, std::uint16_t port) {
  const NlSocket socket(nl_socket_alloc());
  if (!socket) return -NLE_NOMEM;
  if (const int error = genl_connect(socket.get()); error != 0) return error;
  const int family = genl_ctrl_resolve(socket.get(), FOU_GENL_NAME);
  if (family < 0) return family;
  NlMessage message(nlmsg_alloc());
  if (!message ||
      genlmsg_put(message.get(), NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, 0, command,
                  FOU_GENL_VERSION) == nullptr ||
      nla_put_u16(message.get(), FOU_ATTR_PORT, htons(port)) != 0 ||
      nla_put_u8(message.get(), FOU_ATTR_AF, AF_INET) != 0 ||
      nla_put_u8(message.get(), FOU_ATTR_TYPE, FOU_ENCAP_GUE) != 0)
    return -NLE_NOMEM;
  return nl_send_sync(socket.get(), message.release());
}

}  // namespace

void RealServerHost::Close::operator()(nl_sock* socket) const {
  nl_socket_free(socket);
}

core::Result<RealServerHost> RealServerHost::open() {
  RealServerHost host(nl_socket_alloc());
  if (!host.socket_) return core::fail_errno(ENOMEM, "cannot open a netlink socket");
  if (const int error = nl_connect(host.socket_.get(), NETLINK_ROUTE); error != 0)
    return core::fail("cannot open a netlink socket: {}", words_of(error));
  return host;
}

core::Result<std::map<std::string, ServerDevice>> RealServerHost::devices() const {
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return core::fail_errno(errno, "cannot list the interfaces");
  const std::unique_ptr<ifaddrs, core::Freed<freeifaddrs>> owner(first);
  std::map<std::string, ServerDevice> out;
  for (const ifaddrs* at = first; at != nullptr; at = at->ifa_next) {
    ServerDevice& device = out[at->ifa_name];
    device.up = (at->ifa_flags & IFF_UP) != 0;
    device.silent = (at->ifa_flags & (IFF_LOOPBACK | IFF_NOARP)) != 0;
    if (at->ifa_addr == nullptr) continue;
    if (const auto address = address_of(*at->ifa_addr)) device.addresses.push_back(*address);
  }
  return out;
}

std::uint64_t RealServerHost::network_namespace() {
  struct stat about {};
  return stat("/proc/self/ns/net", &about) == 0 ? about.st_ino : 0;
}

std::optional<std::int64_t> RealServerHost::read_switch(const std::string& path) {
  std::ifstream file(switch_file(path));
  std::int64_t value = 0;
  if (file >> value) return value;
  return std::nullopt;
}

core::Result<void> RealServerHost::write_switch(const std::string& path, std::int64_t value) {
  std::ofstream file(switch_file(path));
  errno = 0;
  file << value << std::flush;
  if (file) return {};
  return core::fail_errno(errno == 0 ? ENOENT : errno, "cannot write {} into {}", value,
                          switch_file(path));
}

core::Result<void> RealServerHost::add_address(const core::IpAddress& address,
                                               const std::string& device) {
  const AddressHandle request = request_for(address, device);
  if (!request) return core::fail("there is no interface {}", device);
  if (!address.is_v4()) {
    // Nobody else's answer may take it from us, and it is no source for what this host begins.
    rtnl_addr_set_flags(request.get(), IFA_F_NODAD);
    rtnl_addr_set_valid_lifetime(request.get(), ~std::uint32_t{0});
    rtnl_addr_set_preferred_lifetime(request.get(), 0);
  }
  const int error = rtnl_addr_add(socket_.get(), request.get(), NLM_F_CREATE | NLM_F_EXCL);
  if (error == 0 || error == -NLE_EXIST) return {};
  if (error == -NLE_NOACCESS && !address.is_v4()) {
    return core::fail(
        "cannot put {} on {}: IPv6 is switched off there (net.ipv6.conf.{}.disable_ipv6)",
        address.to_string(), device, device);
  }
  return core::fail("cannot put {} on {}: {}", address.to_string(), device, words_of(error));
}

core::Result<void> RealServerHost::remove_address(const core::IpAddress& address,
                                                  const std::string& device) {
  const AddressHandle request = request_for(address, device);
  if (!request) return {};  // gone with its device
  const int error = rtnl_addr_delete(socket_.get(), request.get(), 0);
  if (error == 0 || error == -NLE_NOADDR || error == -NLE_OBJ_NOTFOUND) return {};
  return core::fail("cannot take {} off {}: {}", address.to_string(), device, words_of(error));
}

core::Result<void> RealServerHost::set_up(const std::string& device, bool up) {
  const runtime::UniqueFd control(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::memcpy(request.ifr_name, device.data(),
              std::min(device.size(), sizeof request.ifr_name - 1));
  if (ioctl(control.get(), SIOCGIFFLAGS, &request) != 0)
    return core::fail_errno(errno, "cannot ask whether {} is up", device);
  const int flags = up ? request.ifr_flags | IFF_UP : request.ifr_flags & ~IFF_UP;
  request.ifr_flags = static_cast<short>(flags);
  if (ioctl(control.get(), SIOCSIFFLAGS, &request) == 0) return {};
  return core::fail_errno(errno, "cannot set {} {}", device, up ? "up" : "down");
}

core::Result<bool> RealServerHost::create_tunnel(const TunnelDevice& device) {
  const LinkHandle link(rtnl_link_alloc());
  if (!link) return core::fail_errno(ENOMEM, "cannot make {}", device.name);
  rtnl_link_set_name(link.get(), device.name.c_str());
  int error = rtnl_link_set_type(link.get(), device.kind.c_str());
  if (error == 0) error = rtnl_link_add(socket_.get(), link.get(), NLM_F_CREATE | NLM_F_EXCL);
  if (error == 0) return true;
  if (error == -NLE_EXIST && if_nametoindex(device.name.c_str()) != 0) return false;
  return core::fail("cannot have the tunnel device {}: {} (does this kernel have the module {}?)",
                    device.name, words_of(error), device.kind);
}

core::Result<std::uint8_t> RealServerHost::tunnel_protocol(const std::string& device) {
  ip6_tnl_parm settings{};
  const int error = tunnel_request(SIOCGETTUNNEL, device, settings);
  if (error == 0) return settings.proto;
  return core::fail_errno(error, "cannot ask what {} unwraps", device);
}

core::Result<void> RealServerHost::set_tunnel_protocol(const std::string& device,
                                                       std::uint8_t protocol) {
  ip6_tnl_parm settings{};
  int error = tunnel_request(SIOCGETTUNNEL, device, settings);
  settings.proto = protocol;
  if (error == 0) error = tunnel_request(SIOCCHGTUNNEL, device, settings);
  if (error == 0) return {};
  return core::fail_errno(error, "cannot say what {} unwraps", device);
}

core::Result<void> RealServerHost::remove_device(const std::string& name) {
  const LinkHandle link(rtnl_link_alloc());
  if (!link) return core::fail_errno(ENOMEM, "cannot remove {}", name);
  rtnl_link_set_name(link.get(), name.c_str());
  const int error = rtnl_link_delete(socket_.get(), link.get());
  if (error == 0 || error == -NLE_OBJ_NOTFOUND || error == -NLE_NODEV) return {};
  return core::fail("cannot remove {}: {}", name, words_of(error));
}

core::Result<bool> RealServerHost::open_gue(std::uint16_t port) {
  const int error = fou_request(FOU_CMD_ADD, port);
  if (error == 0) return true;
  // An open port is a bound socket of the kernel.
  if (error == -NLE_EXIST || error == -NLE_BUSY) return false;
  return core::fail(
      "cannot unwrap UDP packets to port {}: {} (does this kernel have the module "
      "fou?)",
      port, words_of(error));
}

core::Result<void> RealServerHost::close_gue(std::uint16_t port) {
  const int error = fou_request(FOU_CMD_DEL, port);
  if (error == 0 || error == -NLE_OBJ_NOTFOUND) return {};
  return core::fail("cannot close UDP port {}: {}", port, words_of(error));
}

}  // namespace holdfast::ctl
