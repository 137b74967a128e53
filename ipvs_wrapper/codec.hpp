// IPVS requests and replies as bytes. Pure: libnl builds and walks messages in memory, nothing here
// knows a socket. Attribute numbers: linux/ip_vs.h. Everything is host byte order but addresses,
// ports and the IPv4 netmask.
#pragma once

#include "core/result.hpp"
#include "ipvs_wrapper/plan.hpp"
#include "ipvs_wrapper/sync.hpp"
#include "ipvs_wrapper/table.hpp"

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

namespace holdfast::ipvs {

/// What every request carries.
struct RequestHeader {
  std::uint16_t family = 0;  ///< id of the generic-netlink family
  std::uint32_t sequence = 0;
};

/// Whether the kernel answers a request that succeeded. A failure is always answered.
enum class Answer { on_failure, always };

/// Each appends one message to a datagram.
void append_step(std::vector<std::uint8_t>& out, RequestHeader header, Answer answer,
                 const Step& step);
void append_info_request(std::vector<std::uint8_t>& out, RequestHeader header);
/// Answered by one ServiceReply, or by an Outcome of ESRCH when there is no such service.
void append_get_service(std::vector<std::uint8_t>& out, RequestHeader header,
                        const ServiceKey& key);
void append_list_services(std::vector<std::uint8_t>& out, RequestHeader header);
/// Beware: the kernel answers an unknown service with an empty list, not with an error.
void append_list_servers(std::vector<std::uint8_t>& out, RequestHeader header,
                         const ServiceKey& key);

void append_list_sync(std::vector<std::uint8_t>& out, RequestHeader header);
void append_timeouts_request(std::vector<std::uint8_t>& out, RequestHeader header);
/// Answered by an Outcome.
void append_sync_command(std::vector<std::uint8_t>& out, RequestHeader header,
                         const SyncCommand& command);

/// The end of an answer: NLMSG_ERROR (0 is an acknowledgement) or NLMSG_DONE.
struct Outcome {
  int system_errno = 0;
  bool operator==(const Outcome&) const = default;
};
struct InfoReply {
  std::uint32_t version = 0;
  std::uint32_t connection_table_size = 0;
  bool operator==(const InfoReply&) const = default;
};
/// Settings are normalised: no HASHED flag, no persistence values without the PERSISTENT flag.
struct ServiceReply {
  ServiceKey key;
  Settings settings;
  Stats stats;
};
/// Normalised: no tunnel values without tunnelling.
struct ServerReply {
  core::Endpoint endpoint;
  Server server;
  ServerCounters counters;
};
struct SyncReply {
  SyncRole role = SyncRole::master;
  SyncDaemon daemon;
};
struct Reply {
  std::uint32_t sequence = 0;
  std::variant<Outcome, InfoReply, ServiceReply, ServerReply, SyncReply, Timeouts> body;
};

/// All messages of one datagram, in order; messages that are none of ours (other families, no-ops)
/// are left out. `service_family` is the family of servers that do not name theirs (kernels
/// before 3.18). `datagram` is 4-byte aligned. Error: the datagram is malformed.
[[nodiscard]] core::Result<std::vector<Reply>> decode_replies(
    std::span<const std::uint8_t> datagram, std::uint16_t family, core::Family service_family);

}  // namespace holdfast::ipvs
