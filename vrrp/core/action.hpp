// Everything that the VRRP core can ask for. An action carries all that its doer needs; nobody asks
// the core back. turn.hpp says in which order a shell performs those of one wake-up; what came of
// them returns as events.
#pragma once

#include "core/shared.hpp"
#include "vrrp/core/receive.hpp"
#include "vrrp/core/settings.hpp"
#include "vrrp/core/state.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace holdfast::vrrp {

/// Whom an action is about: the key for machines, the name for people.
struct Subject {
  RouterKey key;
  std::string name;  ///< keepalived: vrrp_instance NAME.
  bool operator==(const Subject&) const = default;
};

/// One copy of an advert: version 3's checksum covers the destination, too.
struct Letter {
  IpAddress destination;
  std::vector<std::uint8_t> payload;  ///< What follows the IP header, checksum included.
  bool operator==(const Letter&) const = default;
};
/// One advert on its way: everything that a shell needs to put it on the wire.
struct Departure {
  IpAddress source;
  std::uint8_t hop_limit = 255;
  /// To the group, twice where its partners verify different checksums, or to every unicast peer
  /// that is another host.
  std::vector<Letter> letters;
  std::uint8_t protocol = kIpProtocolVrrp;  ///< Or kIpProtocolAh.
  std::size_t trailer_bytes = 0;            ///< At the end of each letter.
  /// Leaves from there, with the MAC address of that interface. Empty: from the router's.
  core::RareText device = {};

  /// The letters without what proves their origin, which differs each time.
  [[nodiscard]] std::vector<Letter> plain_letters() const;
  bool operator==(const Departure&) const = default;
};

/// Send one advert now. Answered by AdvertSent or AdvertRefused.
struct SendAdvert {
  core::Shared<Subject> router;
  std::uint8_t priority = 0;
  /// Of an IPv4 header: counts up from 1 with the adverts of an instance, as keepalived's does.
  std::uint16_t identification = 0;
  core::Shared<Departure> departure;
  bool operator==(const SendAdvert&) const = default;
};
/// These addresses, all of them and no others, shall be held for this instance. Answered by
/// AddressesPlaced.
struct PublishAddresses {
  core::Shared<Subject> router;
  AddressList addresses;
  bool operator==(const PublishAddresses&) const = default;
};
/// No address shall be held for this instance.
struct WithdrawAddresses {
  core::Shared<Subject> router;
  bool operator==(const WithdrawAddresses&) const = default;
};
/// Tell the segment where those of these addresses live that the kernel really has: gratuitous ARP,
/// or neighbour advertisements for IPv6; `repeat` rounds over the whole list (a, b, a, b …).
/// Answered by AnnouncementsRefused when some could not be sent.
struct Announce {
  core::Shared<Subject> router;
  AddressList addresses;
  std::uint32_t repeat = 0;
  bool operator==(const Announce&) const = default;
};
/// What keepalived's scripts are told. `deleted`: a reload removed the instance;
/// `master_rx_lower_pri`: notify_master_rx_lower_pri; the last two: notify_priority_changes, for
/// pipes only.
enum class NotifyState : std::uint8_t {
  master,
  backup,
  fault,
  stop,
  deleted,
  master_rx_lower_pri,
  master_priority,
  backup_priority
};
/// It tells of something beside the state, which stays.
[[nodiscard]] constexpr bool is_hint(NotifyState state) {
  return state >= NotifyState::master_rx_lower_pri;
}
struct Notify {
  core::Shared<Subject> router;
  NotifyState state{};
  std::uint8_t priority = 0;
  bool operator==(const Notify&) const = default;
};
/// What the handover page has to say about an instance from now on: a successor of a killed process
/// and the watchdog read it.
struct Remember {
  core::Shared<Subject> router;
  StateName state{};
  std::uint8_t priority = 0;
  Instant since{};           ///< Of the mastership while master, else of the state.
  Instant last_advert_at{};  ///< Of the last one that really went out.
  /// How long after it no peer can have taken over; while handing over: the addresses have left.
  Duration silence_allowed{};
  bool hands_over = false;  ///< Has resigned, and its addresses are still there.
  /// That partners wrote and all our adverts have; nullopt: none was heard, or they differ.
  std::optional<ChecksumForm> checksum = {};
  core::Rare<ProofMemory> proofs = {};  ///< Of adverts that prove their origin.
  bool operator==(const Remember&) const = default;
};
/// For the log and the status page.
struct StateChanged {
  core::Shared<Subject> router;
  StateName from{};
  StateName to{};
  std::string why;  ///< Sentence without subject: "192.0.2.2 advertises priority 200, ours is 100".
  bool operator==(const StateChanged&) const = default;
};
/// A sync group, which is all its members together, has another state. For the log, and for what
/// is told to people and scripts once a change.
struct GroupChanged {
  core::Shared<Subject> router;  ///< The member that it is told after, or before at the start.
  std::string group;             ///< keepalived: vrrp_sync_group NAME.
  StateName from{};
  NotifyState to{};
  std::string why;  ///< As in StateChanged.
  bool operator==(const GroupChanged&) const = default;
};
/// What is tracked has changed the priority. For the log.
struct PriorityChanged {
  core::Shared<Subject> router;
  std::uint8_t from = 0;
  std::uint8_t to = 0;
  std::string why;  ///< The sum, as sum_text() has it; empty: nothing is added any more.
  bool operator==(const PriorityChanged&) const = default;
};
/// Something is wrong with a peer or between us. Repeated at most once a minute for each reason and
/// peer of an instance.
struct PeerProblem {
  core::Shared<Subject> router;
  RejectReason reason{};
  IpAddress source;
  std::string sentence;
  std::uint64_t occurrences = 0;  ///< Of this peer.
  bool operator==(const PeerProblem&) const = default;
};
/// The instance is gone (reload). Its sockets and page entry can go.
struct Removed {
  core::Shared<Subject> router;
  bool operator==(const Removed&) const = default;
};
/// Shutdown is complete, all addresses are withdrawn: the process may end.
struct Stopped {
  bool operator==(const Stopped&) const = default;
};

using Action =
    std::variant<SendAdvert, PublishAddresses, WithdrawAddresses, Announce, Notify, Remember,
                 StateChanged, GroupChanged, PriorityChanged, PeerProblem, Removed, Stopped>;
using Actions = std::vector<Action>;

/// One line for scenario traces and failure reports: "send advert priority 100". Without the
/// instance.
[[nodiscard]] std::string to_string(const Action& action);
/// The word that keepalived gives to scripts: "MASTER", "BACKUP" …
[[nodiscard]] std::string_view to_string(NotifyState state);

}  // namespace holdfast::vrrp
