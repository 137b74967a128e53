// Everything that the VRRP core can be told. Made by the driver (packets, pauses, ticks) and by the
// shell (what the kernel and the operator did, and what came of the core's own actions).
#pragma once

#include "core/script.hpp"
#include "vrrp/core/receive.hpp"
#include "vrrp/core/settings.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace holdfast::vrrp {

/// What the shell knows about an interface. Before the first report an interface counts as unknown:
/// FAULT. The one with the empty name is the host as a whole, for instances without an interface.
struct InterfaceStatus {
  bool exists = false;
  bool up = false;  ///< Administratively up and with carrier (IFF_UP and IFF_RUNNING).
  /// First IPv4 address that is not one of our virtual ones.
  std::optional<IpAddress> primary_address;
  /// Why IPv4 adverts cannot be sent and heard although the interface is up: the sentence of the
  /// socket that could not be opened. Empty: they can.
  std::string trouble = {};
  /// IPv6 link-local address that may be used (its duplicate detection is over) and is not one of
  /// our virtual ones.
  std::optional<IpAddress> link_local = {};
  std::string trouble_v6 = {};  ///< As trouble, for IPv6.
  /// Of the sources and peers that instances name, those that are addresses of this host and may be
  /// used. In order.
  std::vector<IpAddress> own_addresses = {};
  /// Of peers of instances without an interface and a source: what the kernel's route to them would
  /// send from. A peer without a route is not in it.
  std::map<IpAddress, IpAddress> sources_to = {};
  /// Of those peers: a virtual address that the route would send from, and nothing stands in for.
  std::map<IpAddress, IpAddress> virtual_sources_to = {};
  /// Groups of instances that could not be joined, in order: those instances hear nobody.
  std::vector<IpAddress> deaf_groups = {};
  /// Whom nobody hears there although nothing is wrong with the socket, by MAC address ("":
  /// everybody; "unicast": what is not sent to a group), with the sentences that say why and what
  /// to do.
  std::map<std::string, std::string> unheard = {};
  /// Virtual interfaces above it that cannot be had, with the sentences that say why.
  std::map<std::string, std::string> device_troubles = {};
  /// No frame of any host has been received there since it came up in a boot: that a master is not
  /// heard says nothing yet. The shell ends it with the first frame, or after a while.
  bool silent = false;
  bool operator==(const InterfaceStatus&) const = default;
};

/// Begin. The shell reports interfaces (and resumes) first.
struct Startup {};
/// Time has passed: do what is due.
struct Tick {};
/// A packet that passed every check.
struct AdvertReceived {
  RouterKey router;
  Advert advert;
  IpAddress source;
  bool address_list_differs = false;
  Proof proof = {};
};
/// A packet for this instance that did not.
struct AdvertRejected {
  RouterKey router;
  Rejected rejected;
};
/// An advert that the core asked for has left (the kernel took it).
struct AdvertSent {
  RouterKey router;
  std::uint8_t priority = 0;
};
/// It did not. Comes in the same wake-up, before any address is touched.
struct AdvertRefused {
  RouterKey router;
  std::uint8_t priority = 0;
  std::string sentence;  ///< What the system said: "Operation not permitted".
};
/// Announcements that the core asked for and the kernel did not take.
struct AnnouncementsRefused {
  RouterKey router;
  std::uint64_t count = 0;
};
/// An interface appeared, went up or down, or its primary address changed. Unknown names are
/// remembered for a later reload.
struct InterfaceChanged {
  std::string interface;
  InterfaceStatus status;
};
/// What became of the addresses that should be held, as read back from the kernel: after they were
/// published, and again whenever it changes.
struct AddressesPlaced {
  RouterKey router;
  std::size_t wanted = 0;
  std::size_t placed = 0;
  std::string problem;  ///< Of the first one that is missing; empty when none is.
};
/// Somebody removed addresses and they were put back: counted, and announced once more.
struct AddressesRepaired {
  RouterKey router;
};
/// Stop in order: masters resign and hand over. Stopped follows, at once or later.
struct Shutdown {};
/// Stop waiting: a second signal during a handover. Stopped follows at once.
struct ShutdownNow {};
/// We did not run for a while. Comes before the packets that piled up meanwhile.
struct ProcessPaused {
  Duration gap;        ///< How much later than asked we woke up, plus `uncounted`.
  Duration uncounted;  ///< The part that the monotonic clock did not see (system suspend).
};
/// This instance was master in our predecessor, a child of the same watchdog. Before Startup.
struct ResumeFromPage {
  RouterKey router;
  Instant became_master_at;
  Instant last_advert_at;
  /// That it promised to its peers. Zero: not known, as in old recordings.
  Duration silence_allowed{};
  /// Of its adverts, when partners had shown theirs.
  std::optional<ChecksumForm> checksum = {};
  /// Of its adverts: what counts until all trackers have said something again. 0: not known.
  std::uint8_t priority = 0;
  bool operator==(const ResumeFromPage&) const = default;
};
/// What this virtual router had heard and used in our predecessor, a child of the same watchdog.
/// Before Startup.
struct RecallProofs {
  RouterKey router;
  ProofMemory memory;
  bool operator==(const RecallProofs&) const = default;
};
/// The wall clock, for adverts that are signed: before the first one, and whenever it has moved.
struct ClockTold {
  Duration utc_ahead{};  ///< UTC since 1970 less our own Instant.
};
/// A script that was asked for with Notify has been started.
struct ScriptStarted {
  RouterKey router;
};
/// It has ended, or will not be run.
struct ScriptEnded {
  RouterKey router;
  std::string what;   ///< "notify_master"
  std::string state;  ///< That it was run for: "MASTER".
  core::ScriptOutcome outcome;
};
/// What somebody says whom instances track, the first time or a change. Interfaces are reported
/// with InterfaceChanged. Of those that nobody tracks nothing is remembered.
struct TrackerReported {
  TrackerId tracker;
  Verdict verdict{};
};
/// What an operator has asked of one virtual router, until it is taken back. It is no part of the
/// configuration: a reload leaves it as it is.
struct Steering {
  int adds = 0;  ///< To the priority, beside what is tracked.
  /// It has left its mastership to others: while one of them is heard it does not take over.
  bool resigns = false;
  bool operator==(const Steering&) const = default;
};
/// From now on it is this. A sync group resigns together, whichever member was asked.
struct Steered {
  RouterKey router;
  Steering steering;
  /// A predecessor of this process was asked: it has resigned already if it was to, and what the
  /// page says of the priority has the points in it.
  bool is_recalled = false;
};
/// A new configuration: the complete set. See Router for what happens to whom.
struct Reload {
  std::vector<InstanceSettings> instances;
};

using Event =
    std::variant<Startup, Tick, AdvertReceived, AdvertRejected, AdvertSent, AdvertRefused,
                 AnnouncementsRefused, InterfaceChanged, AddressesPlaced, AddressesRepaired,
                 Shutdown, ShutdownNow, ProcessPaused, ResumeFromPage, Reload, ScriptStarted,
                 ScriptEnded, RecallProofs, ClockTold, TrackerReported, Steered>;

}  // namespace holdfast::vrrp
