// The reading half of codec.hpp. Attributes come in any order and unknown ones are skipped, so
// newer kernels can be read.
#include "ipvs_wrapper/codec.hpp"

#include <netlink/attr.h>
#include <netlink/msg.h>

#include <cstring>
#include <linux/genetlink.h>
#include <linux/ip_vs.h>
#include <sys/socket.h>

namespace holdfast::ipvs {
namespace {

// Attributes of one nest by number. Each getter tells "absent or too short" as nullopt.
template <int kMax>
class Attributes {
 public:
  Attributes(const nlattr* head, int length) {
    valid_ = nla_parse(table_, kMax, const_cast<nlattr*>(head), length, nullptr) >= 0;
  }
  explicit Attributes(const nlattr* nest)
      : Attributes(static_cast<const nlattr*>(nla_data(nest)), nla_len(nest)) {}

  [[nodiscard]] bool valid() const { return valid_; }
  [[nodiscard]] const nlattr* find(int attribute) const { return table_[attribute]; }

  template <class Number>
  [[nodiscard]] std::optional<Number> number(int attribute) const {
    const auto* found = table_[attribute];
    if (found == nullptr || static_cast<std::size_t>(nla_len(found)) < sizeof(Number))
      return std::nullopt;
    Number value;
    std::memcpy(&value, nla_data(found), sizeof value);
    return value;
  }
  [[nodiscard]] std::span<const std::uint8_t> bytes(int attribute) const {
    const auto* found = table_[attribute];
    if (found == nullptr) return {};
    return {static_cast<const std::uint8_t*>(nla_data(found)),
            static_cast<std::size_t>(nla_len(found))};
  }
  // Up to the first NUL.
  [[nodiscard]] std::string text(int attribute) const {
    const auto found = bytes(attribute);
    const auto end = std::find(found.begin(), found.end(), std::uint8_t{0});
    return {found.begin(), end};
  }
  [[nodiscard]] std::optional<std::uint16_t> port(int attribute) const {
    const auto found = bytes(attribute);
    if (found.size() < 2) return std::nullopt;
    return static_cast<std::uint16_t>(found[0] << 8 | found[1]);
  }

 private:
  nlattr* table_[kMax + 1] = {};
  bool valid_ = false;
};

using ServiceAttributes = Attributes<IPVS_SVC_ATTR_MAX>;
using ServerAttributes = Attributes<IPVS_DEST_ATTR_MAX>;
using SyncAttributes = Attributes<IPVS_DAEMON_ATTR_MAX>;
using StatsAttributes = Attributes<IPVS_STATS_ATTR_MAX>;
using TopAttributes = Attributes<IPVS_CMD_ATTR_MAX>;

std::optional<core::Family> family_from(std::uint16_t number) {
  if (number == AF_INET) return core::Family::v4;
  if (number == AF_INET6) return core::Family::v6;
  return std::nullopt;
}

// The kernel sends 16 bytes for both families.
std::optional<core::IpAddress> address_from(std::span<const std::uint8_t> bytes,
                                            core::Family family) {
  const std::size_t size = family == core::Family::v4 ? 4 : 16;
  return bytes.size() < size ? std::nullopt : core::IpAddress::from_bytes(bytes.first(size));
}

// 64-bit counters where the kernel has them (4.1), else 32-bit ones; bytes are 64 bits wide in
// both.
Stats stats_from(const nlattr* wide, const nlattr* narrow) {
  const auto* nest = wide != nullptr ? wide : narrow;
  if (nest == nullptr) return {};
  const StatsAttributes attributes(nest);
  const auto get = [&attributes](int attribute) -> std::uint64_t {
    if (const auto value = attributes.number<std::uint64_t>(attribute)) return *value;
    return attributes.number<std::uint32_t>(attribute).value_or(0);
  };
  return {get(IPVS_STATS_ATTR_CONNS),   get(IPVS_STATS_ATTR_INPKTS),   get(IPVS_STATS_ATTR_OUTPKTS),
          get(IPVS_STATS_ATTR_INBYTES), get(IPVS_STATS_ATTR_OUTBYTES), get(IPVS_STATS_ATTR_CPS),
          get(IPVS_STATS_ATTR_INPPS),   get(IPVS_STATS_ATTR_OUTPPS),   get(IPVS_STATS_ATTR_INBPS),
          get(IPVS_STATS_ATTR_OUTBPS)};
}

std::optional<ServiceKey> key_from(const ServiceAttributes& attributes) {
  const auto family = family_from(attributes.number<std::uint16_t>(IPVS_SVC_ATTR_AF).value_or(0));
  if (!family) return std::nullopt;
  if (const auto mark = attributes.number<std::uint32_t>(IPVS_SVC_ATTR_FWMARK); mark && *mark != 0)
    return MarkKey{*mark, *family};
  const auto protocol = attributes.number<std::uint16_t>(IPVS_SVC_ATTR_PROTOCOL);
  const auto address = address_from(attributes.bytes(IPVS_SVC_ATTR_ADDR), *family);
  const auto port = attributes.port(IPVS_SVC_ATTR_PORT);
  if (!protocol || !address || !port) return std::nullopt;
  return AddressKey{static_cast<Protocol>(*protocol), {*address, *port}};
}

std::uint32_t netmask_from(const ServiceAttributes& attributes, core::Family family) {
  if (family == core::Family::v6)
    return attributes.number<std::uint32_t>(IPVS_SVC_ATTR_NETMASK).value_or(full_netmask(family));
  std::uint32_t mask = 0;
  const auto bytes = attributes.bytes(IPVS_SVC_ATTR_NETMASK);
  if (bytes.size() < 4) return full_netmask(family);
  for (const auto byte : bytes.first(4)) mask = mask << 8 | byte;
  return mask;
}

std::optional<ServiceReply> service_from(const nlattr* nest) {
  const ServiceAttributes attributes(nest);
  const auto key = key_from(attributes);
  if (!attributes.valid() || !key) return std::nullopt;
  ServiceReply reply{*key, {}, {}};
  // ip_vs_flags: the flags, then a mask that is all ones in replies.
  const auto flags = attributes.number<std::uint32_t>(IPVS_SVC_ATTR_FLAGS).value_or(0);
  reply.settings.scheduler = attributes.text(IPVS_SVC_ATTR_SCHED_NAME);
  reply.settings.flags = flags & ~std::uint32_t{IP_VS_SVC_F_PERSISTENT | IP_VS_SVC_F_HASHED};
  reply.settings.persistence_engine = attributes.text(IPVS_SVC_ATTR_PE_NAME);
  if ((flags & IP_VS_SVC_F_PERSISTENT) != 0) {
    const auto timeout = attributes.number<std::uint32_t>(IPVS_SVC_ATTR_TIMEOUT).value_or(0);
    reply.settings.persistence =
        Persistence{std::chrono::seconds(timeout), netmask_from(attributes, family_of(*key))};
  }
  reply.stats =
      stats_from(attributes.find(IPVS_SVC_ATTR_STATS64), attributes.find(IPVS_SVC_ATTR_STATS));
  return reply;
}

// ip_vs.h counts the terminating zero. Longer names would not fit the request that sends them back.
bool has_long_name(const Settings& settings) {
  return settings.scheduler.size() >= IP_VS_SCHEDNAME_MAXLEN ||
         settings.persistence_engine.size() >= IP_VS_PENAME_MAXLEN;
}

std::optional<ServerReply> server_from(const nlattr* nest, core::Family service_family) {
  const ServerAttributes attributes(nest);
  const auto family_number =
      attributes.number<std::uint16_t>(IPVS_DEST_ATTR_ADDR_FAMILY).value_or(0);
  const auto family = family_number == 0 ? service_family : family_from(family_number);
  if (!attributes.valid() || !family) return std::nullopt;
  const auto address = address_from(attributes.bytes(IPVS_DEST_ATTR_ADDR), *family);
  const auto port = attributes.port(IPVS_DEST_ATTR_PORT);
  if (!address || !port) return std::nullopt;

  const auto number = [&attributes](int attribute) {
    return attributes.number<std::uint32_t>(attribute).value_or(0);
  };
  ServerReply reply{{*address, *port}, {}, {}};
  reply.server.forwarding =
      static_cast<Forwarding>(number(IPVS_DEST_ATTR_FWD_METHOD) & IP_VS_CONN_F_FWD_MASK);
  reply.server.weight = number(IPVS_DEST_ATTR_WEIGHT);
  reply.server.upper_threshold = number(IPVS_DEST_ATTR_U_THRESH);
  reply.server.lower_threshold = number(IPVS_DEST_ATTR_L_THRESH);
  if (reply.server.forwarding == Forwarding::tunnel) {
    reply.server.tunnel = {
        static_cast<TunnelType>(
            attributes.number<std::uint8_t>(IPVS_DEST_ATTR_TUN_TYPE).value_or(0)),
        attributes.port(IPVS_DEST_ATTR_TUN_PORT).value_or(0),
        static_cast<TunnelChecksum>(
            attributes.number<std::uint16_t>(IPVS_DEST_ATTR_TUN_FLAGS).value_or(0))};
  }
  reply.counters = {
      number(IPVS_DEST_ATTR_ACTIVE_CONNS), number(IPVS_DEST_ATTR_INACT_CONNS),
      number(IPVS_DEST_ATTR_PERSIST_CONNS),
      stats_from(attributes.find(IPVS_DEST_ATTR_STATS64), attributes.find(IPVS_DEST_ATTR_STATS))};
  return reply;
}

// Kernels before 4.3 tell state, interface and id only.
std::optional<SyncReply> sync_from(const nlattr* nest) {
  const SyncAttributes attributes(nest);
  const auto state = attributes.number<std::uint32_t>(IPVS_DAEMON_ATTR_STATE).value_or(0);
  if (!attributes.valid() || (state != IP_VS_STATE_MASTER && state != IP_VS_STATE_BACKUP))
    return std::nullopt;
  SyncReply reply{static_cast<SyncRole>(state), {}};
  SyncDaemon& daemon = reply.daemon;
  daemon.interface = attributes.text(IPVS_DAEMON_ATTR_MCAST_IFN);
  if (daemon.interface.size() >= IP_VS_IFNAME_MAXLEN) return std::nullopt;
  daemon.id = static_cast<std::uint8_t>(
      attributes.number<std::uint32_t>(IPVS_DAEMON_ATTR_SYNC_ID).value_or(0));
  daemon.max_length = attributes.number<std::uint16_t>(IPVS_DAEMON_ATTR_SYNC_MAXLEN).value_or(0);
  daemon.port = attributes.number<std::uint16_t>(IPVS_DAEMON_ATTR_MCAST_PORT).value_or(daemon.port);
  daemon.ttl = attributes.number<std::uint8_t>(IPVS_DAEMON_ATTR_MCAST_TTL).value_or(daemon.ttl);
  const auto four = address_from(attributes.bytes(IPVS_DAEMON_ATTR_MCAST_GROUP), core::Family::v4);
  const auto six = address_from(attributes.bytes(IPVS_DAEMON_ATTR_MCAST_GROUP6), core::Family::v6);
  daemon.group = six.value_or(four.value_or(daemon.group));
  return reply;
}

core::Error malformed(std::string_view what) {
  return core::fail("the kernel's IPVS reply is malformed: {}", what);
}

// Body of NLMSG_ERROR and, where there is one, of NLMSG_DONE: the errno, negative.
core::Result<Outcome> outcome_from(const nlmsghdr* header) {
  std::int32_t error = 0;
  const auto length = static_cast<std::size_t>(header->nlmsg_len) - NLMSG_HDRLEN;
  if (length < sizeof error) {
    if (header->nlmsg_type == NLMSG_DONE) return Outcome{};
    return malformed("an error message without its number");
  }
  std::memcpy(&error, nlmsg_data(header), sizeof error);
  if (error > 0 || error < -4095)
    return malformed("an error number out of range");  // MAX_ERRNO of the kernel
  return Outcome{-error};
}

// nullopt: a message that is none of ours.
core::Result<std::optional<Reply>> reply_from(const nlmsghdr* header, std::uint16_t family,
                                              core::Family service_family) {
  if (header->nlmsg_type == NLMSG_ERROR || header->nlmsg_type == NLMSG_DONE) {
    const auto outcome = outcome_from(header);
    if (!outcome) return outcome.error();
    return Reply{header->nlmsg_seq, *outcome};
  }
  if (header->nlmsg_type != family) return std::optional<Reply>{};
  if (header->nlmsg_len < NLMSG_HDRLEN + GENL_HDRLEN) return malformed("too short");

  const auto* data = static_cast<const std::uint8_t*>(nlmsg_data(header));
  const auto command = reinterpret_cast<const genlmsghdr*>(data)->cmd;
  const TopAttributes top(reinterpret_cast<const nlattr*>(data + GENL_HDRLEN),
                          static_cast<int>(header->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN));
  if (!top.valid()) return malformed("attributes");
  if (command == IPVS_CMD_SET_INFO) {
    return Reply{header->nlmsg_seq,
                 InfoReply{top.number<std::uint32_t>(IPVS_INFO_ATTR_VERSION).value_or(0),
                           top.number<std::uint32_t>(IPVS_INFO_ATTR_CONN_TAB_SIZE).value_or(0)}};
  }
  if (command == IPVS_CMD_NEW_SERVICE && top.find(IPVS_CMD_ATTR_SERVICE) != nullptr) {
    auto service = service_from(top.find(IPVS_CMD_ATTR_SERVICE));
    if (!service) return malformed("a service without its key");
    if (has_long_name(service->settings)) return malformed("a name of 16 characters or more");
    return Reply{header->nlmsg_seq, *std::move(service)};
  }
  if (command == IPVS_CMD_NEW_DEST && top.find(IPVS_CMD_ATTR_DEST) != nullptr) {
    auto server = server_from(top.find(IPVS_CMD_ATTR_DEST), service_family);
    if (!server) return malformed("a server without its address");
    return Reply{header->nlmsg_seq, *std::move(server)};
  }
  if (command == IPVS_CMD_NEW_DAEMON && top.find(IPVS_CMD_ATTR_DAEMON) != nullptr) {
    auto daemon = sync_from(top.find(IPVS_CMD_ATTR_DAEMON));
    if (!daemon) return malformed("a sync daemon without its state, or with a name too long");
    return Reply{header->nlmsg_seq, *std::move(daemon)};
  }
  if (command == IPVS_CMD_SET_CONFIG) {
    return Reply{header->nlmsg_seq,
                 Timeouts{top.number<std::uint32_t>(IPVS_CMD_ATTR_TIMEOUT_TCP).value_or(0),
                          top.number<std::uint32_t>(IPVS_CMD_ATTR_TIMEOUT_TCP_FIN).value_or(0),
                          top.number<std::uint32_t>(IPVS_CMD_ATTR_TIMEOUT_UDP).value_or(0)}};
  }
  return std::optional<Reply>{};
}

}  // namespace

core::Result<std::vector<Reply>> decode_replies(std::span<const std::uint8_t> datagram,
                                                std::uint16_t family, core::Family service_family) {
  std::vector<Reply> replies;
  while (datagram.size() >= NLMSG_HDRLEN) {
    const auto* header = reinterpret_cast<const nlmsghdr*>(datagram.data());
    if (header->nlmsg_len < NLMSG_HDRLEN || header->nlmsg_len > datagram.size())
      return malformed("message length");
    auto reply = reply_from(header, family, service_family);
    if (!reply) return reply.error();
    if (reply->has_value()) replies.push_back(*std::move(*reply));
    datagram =
        datagram.subspan(std::min<std::size_t>(NLMSG_ALIGN(header->nlmsg_len), datagram.size()));
  }
  if (!datagram.empty()) return malformed("bytes left over");
  return replies;
}

}  // namespace holdfast::ipvs
