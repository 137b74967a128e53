// What the operator wants from one virtual router. Filled by the daemon's wiring from the
// configuration (or by a test), read by the core. Wherever the RFCs and keepalived disagree, the
// choice is a named field here, not an `if` elsewhere.
#pragma once

#include "core/address_options.hpp"
#include "core/ip_address.hpp"
#include "core/rare.hpp"
#include "core/rare_text.hpp"
#include "core/router_key.hpp"
#include "core/shared_list.hpp"
#include "core/time.hpp"
#include "vrrp/core/signing.hpp"
#include "vrrp/core/tracking.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::vrrp {

using core::Duration;
using core::Instant;
using core::IpAddress;
using core::IpPrefix;
using core::RouterKey;

/// RFC 3768 §5.3.4: the router that owns the addresses.
inline constexpr std::uint8_t kOwnerPriority = 255;
inline constexpr std::uint8_t kResignPriority = 0;  ///< RFC 3768 §5.3.4: "I stop participating".
inline constexpr std::uint8_t kDefaultPriority = 100;  ///< RFC 3768 §5.3.4.
/// 224.0.0.18, RFC 3768 §5.2.2; ff02::12, RFC 9568 §5.1.2.2.
[[nodiscard]] IpAddress vrrp_group(core::Family family = core::Family::v4);

/// keepalived: `state`. It only matters for priority 255 and `nopreempt`, see starts_as_master()
/// and may_preempt().
enum class InitialState : std::uint8_t { unset, backup, master };

/// keepalived: `nopreempt` gives `no`. RFC 3768 §6.1 Preempt_Mode, default yes.
enum class Preempt : std::uint8_t { no, yes };

/// RFC 3768 §5.3.6 reserves every type but 0; RFC 2338 §5.3.6 and keepalived have 1, a clear-text
/// password, and 2, an IP authentication header.
enum class AuthenticationType : std::uint8_t { none = 0, simple_password = 1, header = 2 };

/// Of version 2.
struct Authentication {
  AuthenticationType type = AuthenticationType::none;
  std::array<std::uint8_t, 8> data{};  ///< The password, or the key; padded with zeros. Secret.

  /// keepalived: `auth_type PASS`, `auth_pass TEXT`. Only the first 8 bytes count.
  [[nodiscard]] static Authentication password(std::string_view text);
  /// keepalived: `auth_type AH`, `auth_pass TEXT`, likewise.
  [[nodiscard]] static Authentication header(std::string_view text);
  /// The 8 bytes at the end of an advert, which are there in any case.
  [[nodiscard]] std::array<std::uint8_t, 8> on_wire() const {
    return type == AuthenticationType::header ? std::array<std::uint8_t, 8>{} : data;
  }
  bool operator==(const Authentication&) const = default;
};

/// What the checksum of a version 3 advert covers besides the advert. RFC 5798 §5.2.8 speaks of a
/// pseudo header without saying for which family, RFC 9568 §5.2.8 has none for IPv4.
enum class ChecksumForm : std::uint8_t {
  with_pseudo_header,     ///< IPv6 always; IPv4 of keepalived and FRR.
  without_pseudo_header,  ///< IPv4 of RFC 9568, Cisco, Arista.
  /// IPv4 between unicast peers, of keepalived before 1.3.6: the group stands in the pseudo header
  /// although the packet goes to a peer.
  with_group,
};
/// Which one goes out over IPv4; all are understood.
enum class ChecksumChoice : std::uint8_t {
  as_peer,                ///< What the peer uses; with_pseudo_header before one is heard.
  without_pseudo_header,  ///< keepalived: v3_checksum_as_v2.
};

/// keepalived: one line of unicast_peer. Adverts outside its window are refused.
struct UnicastPeer {
  IpAddress address;
  std::uint8_t min_ttl = 0;
  std::uint8_t max_ttl = 255;
  bool operator==(const UnicastPeer&) const = default;
};
/// Whose unicast adverts count. keepalived: check_unicast_src gives `listed`.
enum class Senders : std::uint8_t { anybody, listed };
/// Adverts go to peers, not to a group.
struct Unicast {
  std::vector<UnicastPeer> peers;  ///< Empty: FAULT. keepalived: unicast_fault_no_peer.
  std::uint8_t hop_limit = 255;    ///< keepalived: unicast_ttl.
  Senders senders = Senders::anybody;
  bool operator==(const Unicast&) const = default;
};

/// keepalived: track_src_ip gives `yes`: FAULT while source_address is on no interface. Peers and
/// IPv6 need it anyway: nothing could be sent, or be heard.
enum class SourceTracking : std::uint8_t { no, yes };

/// One line of keepalived's `virtual_ipaddress`: an address to hold while master, and how the
/// kernel shall hold it.
struct VirtualAddress {
  IpPrefix prefix;           ///< Host bits kept. keepalived's default length is 32 (128 for IPv6).
  core::RareText interface;  ///< `dev`; empty: the instance's interface.
  core::RareText label;      ///< `label`; empty: none.
  core::Rare<IpAddress> broadcast;  ///< `brd`.
  /// `scope` as in rtnetlink (0 global, 253 link, 254 host); unset: global.
  std::optional<std::uint8_t> scope;
  bool no_track = false;  ///< `no_track`: what somebody takes away is not put back.
  core::Rare<core::AddressOptions> options = {};

  bool operator==(const VirtualAddress&) const = default;
};
/// The addresses of one instance, in the order of the configuration. The instance and all its
/// actions have the same.
using AddressList = core::SharedList<VirtualAddress>;

/// Gratuitous ARP. Counts are packets per address; keepalived's defaults throughout (RFC 3768
/// §6.4.1 asks for one).
struct GarpSettings {
  std::uint32_t repeat = 5;  ///< keepalived: garp_master_repeat.
  /// keepalived: garp_master_delay, the second burst. 0: none.
  Duration delay = std::chrono::seconds(5);
  Duration refresh = Duration::zero();      ///< keepalived: garp_master_refresh. 0: never.
  std::uint32_t refresh_repeat = 1;         ///< keepalived: garp_master_refresh_repeat.
  std::uint32_t lower_priority_repeat = 5;  ///< keepalived: garp_lower_prio_repeat. 0: no burst.
  /// keepalived: garp_lower_prio_delay. 0: no second burst.
  Duration lower_priority_delay = std::chrono::seconds(5);

  bool operator==(const GarpSettings&) const = default;
};

/// keepalived: garp_extra_if. What adverts do not keep alive in the tables of switches is announced
/// again and again while master.
struct ExtraAnnouncements {
  Duration every;
  AddressList addresses;  ///< Never empty; of those of the instance.
  bool operator==(const ExtraAnnouncements&) const = default;
};

/// keepalived: vmac_xmit_base gives `interface`; an ipvlan has the MAC address of its interface.
enum class AdvertsFrom : std::uint8_t { interface, device };
/// The virtual interface that an instance's addresses are on. keepalived: use_vmac, use_ipvlan.
struct OwnDevice {
  std::string name;
  AdvertsFrom adverts_from = AdvertsFrom::interface;
  bool operator==(const OwnDevice&) const = default;
};

/// What to do when a peer advertises other addresses than ours.
enum class AddressListPolicy : std::uint8_t {
  report,  ///< keepalived: accept and log.
  /// RFC 3768 §7.1: discard, unless the sender is the owner (priority 255).
  drop_unless_sender_owner,
};

/// keepalived: skip_check_adv_addr.
enum class AddressListCheck : std::uint8_t {
  every_advert,
  new_sender,  ///< Only of the first one after that of another master.
};

/// keepalived: dont_track_primary. Whether an interface that is down keeps its instances from
/// serving.
enum class PrimaryTracking : std::uint8_t { no, yes };

/// What the owner does with adverts of others.
enum class OwnerReceive : std::uint8_t {
  process,  ///< RFC 9568 erratum 8298 and keepalived: two owners can settle it by address.
  discard,  ///< RFC 5798 §6.4.3, literally.
};

/// Answer of a master to an advert of lower priority.
enum class LowerPriorityAnswer : std::uint8_t {
  advert_and_announce,  ///< keepalived's default, RFC 9568 §6.4.3 (advert only).
  announce_only,        ///< keepalived: lower_prio_no_advert.
  none,                 ///< RFC 3768 §6.4.3: discard.
};

/// The longest pause between two tries to serve.
inline constexpr Duration kLongestSetback = std::chrono::minutes(10);
/// A mastership of this length shows that the director can serve: old failures are forgotten.
inline constexpr Duration kServesWellAfter = std::chrono::minutes(1);

struct InstanceSettings {
  std::string name;
  /// Where adverts are sent and heard. Empty, of unicast peers only: wherever the kernel's routes
  /// lead. keepalived: no `interface`.
  std::string interface;
  core::Family family = core::Family::v4;
  std::uint8_t version = 2;  ///< Of VRRP: 2, or 3; 3 with IPv6.
  std::uint8_t vrid = 1;     ///< 1..255.
  /// 1..255. The wiring resolves "state MASTER and no priority" to 255.
  std::uint8_t priority = kDefaultPriority;
  InitialState initial_state = InitialState::unset;
  Preempt preempt = Preempt::yes;
  /// keepalived: preempt_delay. How long a live master of lower priority is still accepted, from
  /// its first advert. 0: off.
  Duration preempt_delay = Duration::zero();
  /// VRRPv2 sends whole seconds, 1..255 (RFC 3768 §5.3.7), VRRPv3 hundredths, 1..4095 (RFC 9568
  /// §5.2.7); the configuration rounds.
  Duration advert_interval = std::chrono::seconds(1);
  /// keepalived: down_timer_adverts. RFC 3768 §6.1 has 3.
  std::uint8_t down_timer_adverts = 3;
  Authentication authentication;
  core::Rare<Signing> signing;  ///< keepalived: auth_hmac. Unset: adverts are not signed.
  AddressList addresses;        ///< Advertised in this order.
  /// Held and announced, not in adverts: `virtual_ipaddress_excluded`.
  AddressList excluded_addresses;
  /// keepalived: mcast_src_ip, unicast_src_ip. Unset: the interface's primary address, with IPv6
  /// its link-local one; without an interface what the route to the first peer says.
  std::optional<IpAddress> source_address;
  SourceTracking source_tracking = SourceTracking::no;
  PrimaryTracking primary_tracking = PrimaryTracking::yes;
  core::Rare<IpAddress> group;  ///< keepalived: mcast_dst_ip. Unset: vrrp_group().
  core::Rare<Unicast> unicast;  ///< keepalived: unicast_peer. Unset: multicast.
  ChecksumChoice checksum = ChecksumChoice::as_peer;  ///< Of version 3 over IPv4.
  GarpSettings garp;
  core::Rare<ExtraAnnouncements> extra_announcements;

  AddressListPolicy address_list_policy = AddressListPolicy::report;
  AddressListCheck address_list_check = AddressListCheck::every_advert;
  OwnerReceive owner_receive = OwnerReceive::process;
  /// keepalived: notify_priority_changes. Whoever reads the pipes hears of each new priority, too.
  bool tells_priority = false;
  LowerPriorityAnswer lower_priority_answer = LowerPriorityAnswer::advert_and_announce;
  /// keepalived: higher_prio_send_advert. One more advert of ours before yielding to a better
  /// master.
  bool higher_priority_send_advert = false;
  /// Smallest TTL accepted from the group. RFC 3768 §7.1: 255, so nobody beyond a router can speak.
  std::uint8_t minimum_ttl = 255;
  /// How long an instance that could not serve (none of its addresses could be put in place, no
  /// advert could be sent) stays in FAULT before it tries again, and leaves a healthy master alone.
  /// Doubles each time it fails again, up to kLongestSetback. Not in the RFC.
  Duration retry_after = std::chrono::seconds(10);
  /// Each at most once. Its own interface is among them only without primary_tracking.
  std::vector<Tracker> trackers;
  /// keepalived: vrrp_sync_group NAME that lists it. Empty: none.
  core::RareText sync_group;
  /// Without it the instance cannot serve. Adverts are heard on `interface` in any case.
  core::Rare<OwnDevice> device;

  /// The kernel's routes decide which way adverts go.
  [[nodiscard]] bool is_routed() const { return interface.empty(); }
  /// What packets for it are addressed to: see RouterKey.
  [[nodiscard]] IpAddress channel() const;
  /// Who this is, for peers, kernel, page and status.
  [[nodiscard]] RouterKey key() const;
  /// Priority 255 becomes master at the start without waiting, unless the configuration says `state
  /// BACKUP`; after a fault it waits like everybody (keepalived).
  [[nodiscard]] bool starts_as_master() const {
    return priority == kOwnerPriority && initial_state != InitialState::backup;
  }
  /// RFC 3768 §6.1: the owner always preempts. keepalived ignores nopreempt with `state MASTER`
  /// too.
  [[nodiscard]] bool may_preempt() const {
    return preempt == Preempt::yes || priority == kOwnerPriority ||
           initial_state == InitialState::master;
  }
  /// Protected by a header of its own, keepalived: `auth_type AH`.
  [[nodiscard]] bool has_header() const {
    return authentication.type == AuthenticationType::header;
  }
  [[nodiscard]] bool signs() const { return signing && signing->mode != SigningMode::receive_only; }
  /// Everything to hold while master: addresses, then excluded_addresses.
  [[nodiscard]] AddressList all_addresses() const;

  bool operator==(const InstanceSettings&) const = default;
};

}  // namespace holdfast::vrrp
