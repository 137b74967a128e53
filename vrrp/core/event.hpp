// Everything that the VRRP core can be told. Made by the driver (packets, pauses, ticks) and by the
// shell (the rest).
#pragma once

#include "vrrp/core/receive.hpp"
#include "vrrp/core/settings.hpp"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace holdfast::vrrp {

/// Handle of an instance, given by the router, never used twice in a process's life.
enum class InstanceId : std::uint32_t {};
/// Handle of an interface by name, given by the router; small and dense. See Router::interface_id.
enum class InterfaceId : std::uint32_t {};

/// What makes a virtual router the same one over reloads and restarts; not its name (keepalived
/// does it the same way).
struct InstanceKey {
  std::string interface;
  std::uint8_t vrid = 0;
  auto operator<=>(const InstanceKey&) const = default;
};

/// What the shell knows about an interface. Before the first report an interface counts as unknown:
/// FAULT.
struct InterfaceStatus {
  bool exists = false;
  bool up = false;  ///< Administratively up and with carrier (IFF_UP and IFF_RUNNING).
  /// First IPv4 address that is not one of our virtual ones.
  std::optional<IpAddress> primary_address;
  bool operator==(const InterfaceStatus&) const = default;
};

/// Begin. The shell reports interfaces (and resumes) first.
struct Startup {};
/// Time has passed: do what is due.
struct Tick {};
/// A packet that passed every check.
struct AdvertReceived {
  InstanceId instance{};
  Advert advert;
  IpAddress source;
  bool address_list_differs = false;
};
/// A packet for this instance that did not.
struct AdvertRejected {
  InstanceId instance{};
  Rejected rejected;
};
/// An interface appeared, went up or down, or its primary address changed. Unknown names are
/// remembered for a later reload.
struct InterfaceChanged {
  std::string interface;
  InterfaceStatus status;
};
/// The addresses could not be put in place, or not be put back: the instance cannot be master now.
struct AddressesFailed {
  InstanceId instance{};
  std::string sentence;
};
/// Somebody removed addresses and they were put back: counted, and announced once more.
struct AddressesRepaired {
  InstanceId instance{};
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
  InstanceKey key;
  Instant became_master_at;
  Instant last_advert_at;
};
/// A new configuration: the complete set. See Router for what happens to whom.
struct Reload {
  std::vector<InstanceSettings> instances;
};

using Event =
    std::variant<Startup, Tick, AdvertReceived, AdvertRejected, InterfaceChanged, AddressesFailed,
                 AddressesRepaired, Shutdown, ShutdownNow, ProcessPaused, ResumeFromPage, Reload>;

}  // namespace holdfast::vrrp
