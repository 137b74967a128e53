// The rest of the kernel's IPVS state as values: the connection synchronisation daemons and the
// timeouts of connections, and the requests that lead from what is to what should be. No I/O.
#pragma once

#include "core/ip_address.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace holdfast::ipvs {

/// ip_vs.h: IP_VS_STATE_MASTER, IP_VS_STATE_BACKUP. The master tells its connections, the backup
/// hears those of others; both may run.
enum class SyncRole : std::uint8_t { master = 1, backup = 2 };

/// ipvsadm --start-daemon. Zero of a length is the kernel's choice, from the interface's MTU.
struct SyncDaemon {
  std::string interface {};
  std::uint8_t id = 0;           ///< directors of one group share it; a backup with 0 hears all
  std::uint16_t max_length = 0;  ///< bytes of a datagram
  std::uint16_t port = 8848;     ///< ip_vs_sync.c: IP_VS_SYNC_PORT
  std::uint8_t ttl = 1;
  core::IpAddress group = core::IpAddress::v4({224, 0, 0, 81});  ///< ip_vs_sync.c

  bool operator==(const SyncDaemon&) const = default;
};
using SyncDaemons = std::map<SyncRole, SyncDaemon>;

/// How long idle connections are remembered, seconds. As a wish, 0 leaves what is there.
struct Timeouts {
  std::uint32_t tcp = 0;
  std::uint32_t tcp_fin = 0;
  std::uint32_t udp = 0;

  bool operator==(const Timeouts&) const = default;
  [[nodiscard]] bool is_empty() const { return *this == Timeouts{}; }
};
/// ip_vs_proto_tcp.c, ip_vs_proto_udp.c.
inline constexpr Timeouts kKernelTimeouts{900, 120, 300};

struct StopSync {
  SyncRole role = SyncRole::master;
  bool operator==(const StopSync&) const = default;
};
struct StartSync {
  SyncRole role = SyncRole::master;
  SyncDaemon daemon;
  bool operator==(const StartSync&) const = default;
};
struct SetTimeouts {
  Timeouts timeouts;  ///< zeros stay as they are
  bool operator==(const SetTimeouts&) const = default;
};
using SyncCommand = std::variant<StopSync, StartSync, SetTimeouts>;

/// What the kernel reads back is what was asked for: it fills in lengths, and makes a backup's at
/// least 1024 (ip_vs_sync.c: start_sync_thread).
[[nodiscard]] bool is_as_asked(SyncRole role, const SyncDaemon& actual, const SyncDaemon& asked);

/// From one state to the other. Roles that begin come before roles that end, so that nothing is
/// missed between them.
[[nodiscard]] std::vector<SyncCommand> commands_for(const SyncDaemons& actual,
                                                    const SyncDaemons& wanted);

[[nodiscard]] std::string to_string(SyncRole role);  ///< "master", "backup"
/// "master on eth0, id 51": of a daemon, in messages.
[[nodiscard]] std::string to_string(SyncRole role, const SyncDaemon& daemon);
/// As ipvsadm would say it.
[[nodiscard]] std::string to_string(const SyncCommand& command);

/// Why `command` failed with `system_errno`, as a sentence for the operator.
[[nodiscard]] std::string explain(const SyncCommand& command, int system_errno);
/// A daemon that should end is not there any more.
[[nodiscard]] bool is_already_true(const SyncCommand& command, int system_errno);

}  // namespace holdfast::ipvs
