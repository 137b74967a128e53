// From the configuration's model to the core's settings: the only place of this process that knows
// both.
#pragma once

#include "config/model.hpp"
#include "config/started.hpp"
#include "core/scheduling.hpp"
#include "core/script.hpp"
#include "core/tracked_number.hpp"
#include "netlink_reflector/core/devices.hpp"
#include "netlink_reflector/core/firewall.hpp"
#include "vrrp/core/action.hpp"
#include "vrrp/core/link_delays.hpp"
#include "vrrp/core/pace.hpp"
#include "vrrp/core/process_checks.hpp"
#include "vrrp/core/script_checks.hpp"
#include "vrrp/core/settings.hpp"
#include "vrrp/routing_wiring.hpp"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::vrrp {

/// What the commands of tracked scripts are called, unlike notification scripts.
inline constexpr std::string_view kCheckCommand = "check";

/// The scripts of one instance, with the numbers of their users.
struct InstanceScripts {
  std::map<NotifyState, core::Command> by_state;
  std::optional<core::Command> any;
  /// What each of them is told of its instance: HOLDFAST_INTERFACE and so on.
  std::vector<std::string> environment = {};

  bool operator==(const InstanceScripts&) const = default;
};

/// Who has which.
struct KnownScripts {
  std::map<RouterKey, InstanceScripts> by_router;
  std::map<std::string, InstanceScripts> by_group;  ///< sync groups

  bool operator==(const KnownScripts&) const = default;
};

/// What a generation of the configuration means for this process.
struct Wiring {
  std::vector<InstanceSettings> instances;
  config::NotStarted not_started;                        ///< those that are left out
  std::map<RouterKey, InstanceScripts> scripts;          ///< of those instances that have any
  std::map<std::string, InstanceScripts> group_scripts;  ///< of sync groups that have any
  std::vector<ScriptCheck> checks;       ///< those scripts that some instance tracks
  std::vector<core::TrackedFile> files;  ///< likewise
  std::vector<ProcessCheck> processes;   ///< likewise
  AddressList static_addresses;          ///< each with its interface
  /// What of the static ones, by TrackerId::name, some instance tracks. keepalived: track_group.
  std::set<std::string> tracked_statics;
  RoutingWishes routing;
  netlink::FirewallSettings firewall;
  /// What drops packets while its instance holds it: no_accept, strict mode.
  std::map<RouterKey, std::vector<netlink::ClosedAddress>> closed;
  std::vector<netlink::DesiredDevice> devices;  ///< that instances live on, or single addresses
  std::set<std::string> made_up_devices;        ///< those of them that no line has named
  std::set<std::string> promoting;    ///< interfaces whose other addresses outlive the first one
  std::set<RouterKey> mails;          ///< instances with smtp_alert
  std::set<std::string> group_mails;  ///< sync groups with smtp_alert
  bool mails_faults = true;           ///< keepalived: no_email_faults
  bool pipes = false;                 ///< there is a pipe for lines about instances
  bool states_on_reload = false;      ///< keepalived: fifo_write_vrrp_states_on_reload
  Pace pace;                          ///< of announcements
  core::Scheduling scheduling = {};
  /// No election before the host has been up for this long. keepalived: vrrp_delay_after_boot.
  core::Duration delay_after_boot{};
  /// Nor before the director has run for this long. keepalived: vrrp_startup_delay.
  core::Duration startup_delay{};
  /// Memberships of groups are reported again so often; zero: only as the kernel does.
  core::Duration membership_refresh{};
  bool logs_unknown_vrids = false;  ///< keepalived: log_unknown_vrids
  /// After a boot, elections wait so long for a first frame of anybody. vrrp_listen_after_boot.
  core::Duration listen_after_boot{};
  std::map<std::string, LinkDelay> link_delays;  ///< of interfaces that instances use

  bool operator==(const Wiring&) const = default;
};

/// Instances that ask for what this version does not speak are left out, with their sync groups. A
/// script whose account is not known comes with that problem.
[[nodiscard]] Wiring wiring_of(const config::Model& model);

/// Without a notify_deleted, whoever hears of every state hears FAULT when an instance is taken
/// away. keepalived: notify_deleted.
[[nodiscard]] NotifyState state_told(const InstanceScripts* scripts, NotifyState state);

/// What to run for a notification, in order: notify_<state>, then notify with its four arguments
/// appended. keepalived: notify_*.
[[nodiscard]] std::vector<core::Command> commands_for(const InstanceScripts& scripts,
                                                      const std::string& name, NotifyState state,
                                                      std::uint8_t priority);

/// Likewise for a sync group, whose arguments are GROUP, its name, the state and 0.
[[nodiscard]] std::vector<core::Command> commands_for_group(const InstanceScripts& scripts,
                                                            const std::string& name,
                                                            NotifyState state);

/// What a script is told of the change beside its arguments, as HOLDFAST_KIND, HOLDFAST_NAME and so
/// on. Empty texts are left out.
struct Occasion {
  std::string_view kind;  ///< INSTANCE or GROUP
  std::string name;
  std::string state;
  std::string previous_state;
  std::string reason;
  std::string priority;
};
void tell_occasion(const InstanceScripts& scripts, const Occasion& occasion,
                   std::vector<core::Command>& commands);

}  // namespace holdfast::vrrp
