#include "ipvs_wrapper/codec.hpp"

#include "core/assertion.hpp"
#include "core/freed.hpp"

#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>

#include <bit>
#include <linux/ip_vs.h>
#include <memory>
#include <sys/socket.h>

namespace holdfast::ipvs {
namespace {

constexpr std::size_t kMaxRequestBytes =
    1024;  // the largest (service and server in full) has about 300

constexpr std::uint16_t to_network(std::uint16_t value) {
  return std::endian::native == std::endian::big
             ? value
             : static_cast<std::uint16_t>(value << 8 | value >> 8);
}

constexpr std::uint32_t to_network(std::uint32_t value) {
  if constexpr (std::endian::native == std::endian::big) return value;
  return value << 24 | (value & 0xff00) << 8 | (value >> 8 & 0xff00) | value >> 24;
}

constexpr std::uint16_t address_family(core::Family family) {
  return family == core::Family::v4 ? AF_INET : AF_INET6;
}

// One request under construction; the destructor-free end is append_to().
class Request {
 public:
  Request(RequestHeader header, std::uint8_t command, int flags)
      : message_(nlmsg_alloc_size(kMaxRequestBytes)) {
    HOLDFAST_ASSERT(message_ != nullptr, "a netlink message of a kilobyte can be allocated");
    const void* put = genlmsg_put(message_.get(), 0, header.sequence, header.family, 0,
                                  NLM_F_REQUEST | flags, command, 1);
    HOLDFAST_ASSERT(put != nullptr, "the headers fit an empty message");
  }

  void u8(int attribute, std::uint8_t value) {
    check(nla_put_u8(message_.get(), attribute, value));
  }
  void u16(int attribute, std::uint16_t value) {
    check(nla_put_u16(message_.get(), attribute, value));
  }
  void u32(int attribute, std::uint32_t value) {
    check(nla_put_u32(message_.get(), attribute, value));
  }
  void text(int attribute, const std::string& value) {
    check(nla_put_string(message_.get(), attribute, value.c_str()));
  }
  // Always 16 bytes, as the kernel itself sends them: IPv4 on the left, zeros after.
  void address(int attribute, const core::IpAddress& address) {
    std::uint8_t bytes[16] = {};
    const auto used = address.bytes();
    std::copy(used.begin(), used.end(), bytes);
    check(nla_put(message_.get(), attribute, sizeof bytes, bytes));
  }
  void bytes(int attribute, std::span<const std::uint8_t> value) {
    check(nla_put(message_.get(), attribute, static_cast<int>(value.size()), value.data()));
  }
  void flags(int attribute, ip_vs_flags value) {
    check(nla_put(message_.get(), attribute, sizeof value, &value));
  }
  [[nodiscard]] nlattr* begin(int attribute) { return nla_nest_start(message_.get(), attribute); }
  void end(nlattr* nest) { check(nla_nest_end(message_.get(), nest)); }

  void append_to(std::vector<std::uint8_t>& out) const {
    const nlmsghdr* header = nlmsg_hdr(message_.get());
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(header);
    out.insert(out.end(), bytes, bytes + header->nlmsg_len);
    out.resize((out.size() + NLMSG_ALIGNTO - 1) / NLMSG_ALIGNTO * NLMSG_ALIGNTO);
  }

 private:
  static void check(int error) {
    HOLDFAST_ASSERT(error >= 0, "kMaxRequestBytes holds every request");
  }

  std::unique_ptr<nl_msg, core::Freed<nlmsg_free>> message_;
};

void put_key(Request& request, const ServiceKey& key) {
  request.u16(IPVS_SVC_ATTR_AF, address_family(family_of(key)));
  if (const auto* mark = std::get_if<MarkKey>(&key)) {
    request.u32(IPVS_SVC_ATTR_FWMARK, mark->mark);
    return;
  }
  const auto& address = std::get<AddressKey>(key);
  request.u16(IPVS_SVC_ATTR_PROTOCOL, static_cast<std::uint16_t>(address.protocol));
  request.address(IPVS_SVC_ATTR_ADDR, address.endpoint.address);
  request.u16(IPVS_SVC_ATTR_PORT, to_network(address.endpoint.port));
}

void put_service(Request& request, const ServiceKey& key, const Settings* settings) {
  auto* nest = request.begin(IPVS_CMD_ATTR_SERVICE);
  put_key(request, key);
  if (settings != nullptr) {
    const auto family = family_of(key);
    const auto& persistence = settings->persistence;
    const auto netmask = persistence ? persistence->netmask : full_netmask(family);
    const std::uint32_t persistent = persistence ? IP_VS_SVC_F_PERSISTENT : 0;
    request.text(IPVS_SVC_ATTR_SCHED_NAME, settings->scheduler);
    request.flags(IPVS_SVC_ATTR_FLAGS,
                  {settings->flags | persistent, ~std::uint32_t{IP_VS_SVC_F_HASHED}});
    request.u32(IPVS_SVC_ATTR_TIMEOUT,
                persistence ? static_cast<std::uint32_t>(persistence->timeout.count()) : 0);
    request.u32(IPVS_SVC_ATTR_NETMASK, family == core::Family::v4 ? to_network(netmask) : netmask);
    // Left out, the attribute means "no engine", also when a service is changed.
    if (!settings->persistence_engine.empty())
      request.text(IPVS_SVC_ATTR_PE_NAME, settings->persistence_engine);
  }
  request.end(nest);
}

void put_server(Request& request, const core::Endpoint& endpoint, const Server* server) {
  auto* nest = request.begin(IPVS_CMD_ATTR_DEST);
  request.address(IPVS_DEST_ATTR_ADDR, endpoint.address);
  request.u16(IPVS_DEST_ATTR_PORT, to_network(endpoint.port));
  // Without it the kernel takes the service's family, and reads an IPv4 address into garbage IPv6.
  request.u16(IPVS_DEST_ATTR_ADDR_FAMILY, address_family(endpoint.address.family()));
  if (server != nullptr) {
    request.u32(IPVS_DEST_ATTR_FWD_METHOD, static_cast<std::uint32_t>(server->forwarding));
    request.u32(IPVS_DEST_ATTR_WEIGHT, server->weight);
    request.u32(IPVS_DEST_ATTR_U_THRESH, server->upper_threshold);
    request.u32(IPVS_DEST_ATTR_L_THRESH, server->lower_threshold);
    request.u8(IPVS_DEST_ATTR_TUN_TYPE, static_cast<std::uint8_t>(server->tunnel.type));
    request.u16(IPVS_DEST_ATTR_TUN_PORT, to_network(server->tunnel.port));
    request.u16(IPVS_DEST_ATTR_TUN_FLAGS, static_cast<std::uint16_t>(server->tunnel.checksum));
  }
  request.end(nest);
}

struct StepWriter {
  std::vector<std::uint8_t>& out;
  RequestHeader header;
  int flags;

  void operator()(const AddService& step) const {
    service(IPVS_CMD_NEW_SERVICE, step.key, &step.settings);
  }
  void operator()(const EditService& step) const {
    service(IPVS_CMD_SET_SERVICE, step.key, &step.settings);
  }
  void operator()(const DeleteService& step) const {
    service(IPVS_CMD_DEL_SERVICE, step.key, nullptr);
  }
  void operator()(const AddServer& step) const {
    server(IPVS_CMD_NEW_DEST, step.key, step.endpoint, &step.server);
  }
  void operator()(const EditServer& step) const {
    server(IPVS_CMD_SET_DEST, step.key, step.endpoint, &step.server);
  }
  void operator()(const DeleteServer& step) const {
    server(IPVS_CMD_DEL_DEST, step.key, step.endpoint, nullptr);
  }

 private:
  void service(std::uint8_t command, const ServiceKey& key, const Settings* settings) const {
    Request request(header, command, flags);
    put_service(request, key, settings);
    request.append_to(out);
  }
  void server(std::uint8_t command, const ServiceKey& key, const core::Endpoint& endpoint,
              const Server* server) const {
    Request request(header, command, flags);
    put_service(request, key, nullptr);
    put_server(request, endpoint, server);
    request.append_to(out);
  }
};

void put_group(Request& request, const core::IpAddress& group) {
  const auto bytes = group.bytes();
  request.bytes(group.is_v4() ? IPVS_DAEMON_ATTR_MCAST_GROUP : IPVS_DAEMON_ATTR_MCAST_GROUP6,
                bytes);
}

struct SyncWriter {
  std::vector<std::uint8_t>& out;
  RequestHeader header;

  void operator()(const StopSync& stop) const {
    Request request(header, IPVS_CMD_DEL_DAEMON, NLM_F_ACK);
    auto* nest = request.begin(IPVS_CMD_ATTR_DAEMON);
    request.u32(IPVS_DAEMON_ATTR_STATE, static_cast<std::uint32_t>(stop.role));
    request.end(nest);
    request.append_to(out);
  }
  void operator()(const StartSync& start) const {
    Request request(header, IPVS_CMD_NEW_DAEMON, NLM_F_ACK);
    auto* nest = request.begin(IPVS_CMD_ATTR_DAEMON);
    request.u32(IPVS_DAEMON_ATTR_STATE, static_cast<std::uint32_t>(start.role));
    request.text(IPVS_DAEMON_ATTR_MCAST_IFN, start.daemon.interface);
    request.u32(IPVS_DAEMON_ATTR_SYNC_ID, start.daemon.id);
    if (start.daemon.max_length != 0)
      request.u16(IPVS_DAEMON_ATTR_SYNC_MAXLEN, start.daemon.max_length);
    put_group(request, start.daemon.group);
    request.u16(IPVS_DAEMON_ATTR_MCAST_PORT, start.daemon.port);  // host order, unlike services
    request.u8(IPVS_DAEMON_ATTR_MCAST_TTL, start.daemon.ttl);
    request.end(nest);
    request.append_to(out);
  }
  void operator()(const SetTimeouts& set) const {
    Request request(header, IPVS_CMD_SET_CONFIG, NLM_F_ACK);
    if (set.timeouts.tcp != 0) request.u32(IPVS_CMD_ATTR_TIMEOUT_TCP, set.timeouts.tcp);
    if (set.timeouts.tcp_fin != 0) request.u32(IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, set.timeouts.tcp_fin);
    if (set.timeouts.udp != 0) request.u32(IPVS_CMD_ATTR_TIMEOUT_UDP, set.timeouts.udp);
    request.append_to(out);
  }
};

}  // namespace

void append_step(std::vector<std::uint8_t>& out, RequestHeader header, Answer answer,
                 const Step& step) {
  std::visit(StepWriter{out, header, answer == Answer::always ? NLM_F_ACK : 0}, step);
}

void append_info_request(std::vector<std::uint8_t>& out, RequestHeader header) {
  Request(header, IPVS_CMD_GET_INFO, 0).append_to(out);
}

void append_get_service(std::vector<std::uint8_t>& out, RequestHeader header,
                        const ServiceKey& key) {
  Request request(header, IPVS_CMD_GET_SERVICE, 0);
  put_service(request, key, nullptr);
  request.append_to(out);
}

void append_list_services(std::vector<std::uint8_t>& out, RequestHeader header) {
  Request(header, IPVS_CMD_GET_SERVICE, NLM_F_DUMP).append_to(out);
}

void append_list_servers(std::vector<std::uint8_t>& out, RequestHeader header,
                         const ServiceKey& key) {
  Request request(header, IPVS_CMD_GET_DEST, NLM_F_DUMP);
  put_service(request, key, nullptr);
  request.append_to(out);
}

void append_list_sync(std::vector<std::uint8_t>& out, RequestHeader header) {
  Request(header, IPVS_CMD_GET_DAEMON, NLM_F_DUMP).append_to(out);
}

void append_timeouts_request(std::vector<std::uint8_t>& out, RequestHeader header) {
  Request(header, IPVS_CMD_GET_CONFIG, 0).append_to(out);
}

void append_sync_command(std::vector<std::uint8_t>& out, RequestHeader header,
                         const SyncCommand& command) {
  std::visit(SyncWriter{out, header}, command);
}

}  // namespace holdfast::ipvs
