// Everything that the VRRP core can ask for. The shell's executor performs actions in the order
// given: advert, addresses, announcements, notifications. Ids stay valid for Router::view until the
// next step.
#pragma once

#include "vrrp/core/event.hpp"
#include "vrrp/core/state.hpp"

#include <string>
#include <variant>
#include <vector>

namespace holdfast::vrrp {

/// Send one advert now. Driver::encode makes the bytes.
struct SendAdvert {
  InstanceId instance{};
  std::uint8_t priority = 0;
  bool operator==(const SendAdvert&) const = default;
};
/// These addresses, all of them and no others, shall be held for this instance.
struct PublishAddresses {
  InstanceId instance{};
  std::vector<VirtualAddress> addresses;
  bool operator==(const PublishAddresses&) const = default;
};
/// No address shall be held for this instance.
struct WithdrawAddresses {
  InstanceId instance{};
  bool operator==(const WithdrawAddresses&) const = default;
};
/// Send gratuitous ARP for all addresses of the instance, `repeat` rounds over the whole list (a,
/// b, a, b …).
struct Announce {
  InstanceId instance{};
  std::uint32_t repeat = 0;
  bool operator==(const Announce&) const = default;
};
/// What keepalived's scripts are told. `deleted`: a reload removed the instance (keepalived runs
/// notify_fault then, or notify_deleted where configured); `master_rx_lower_pri`:
/// notify_master_rx_lower_pri.
enum class NotifyState : std::uint8_t { master, backup, fault, stop, deleted, master_rx_lower_pri };
struct Notify {
  InstanceId instance{};
  NotifyState state{};
  std::uint8_t priority = 0;
  bool operator==(const Notify&) const = default;
};
/// For the log, the status page and the handover page.
struct StateChanged {
  InstanceId instance{};
  StateName from{};
  StateName to{};
  std::string why;  ///< Sentence without subject: "192.0.2.2 advertises priority 200, ours is 100".
  bool operator==(const StateChanged&) const = default;
};
/// Something is wrong with a peer or between us. Repeated at most once a minute for each reason and
/// instance.
struct PeerProblem {
  InstanceId instance{};
  RejectReason reason{};
  IpAddress source;
  std::string sentence;
  std::uint64_t occurrences = 0;  ///< Since the instance started.
  bool operator==(const PeerProblem&) const = default;
};
/// The instance is gone (reload). Its sockets and page entry can go; view(id) works until the next
/// step.
struct Removed {
  InstanceId instance{};
  bool operator==(const Removed&) const = default;
};
/// Shutdown is complete, all addresses are withdrawn: the process may end.
struct Stopped {
  bool operator==(const Stopped&) const = default;
};

using Action = std::variant<SendAdvert, PublishAddresses, WithdrawAddresses, Announce, Notify,
                            StateChanged, PeerProblem, Removed, Stopped>;
using Actions = std::vector<Action>;

/// One line for scenario traces and failure reports: "send advert priority 100". Without the
/// instance.
[[nodiscard]] std::string to_string(const Action& action);
/// The word that keepalived gives to scripts: "MASTER", "BACKUP" …
[[nodiscard]] std::string_view to_string(NotifyState state);

}  // namespace holdfast::vrrp
