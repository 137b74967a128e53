// The brain of the VRRP process: all virtual routers, found by interface and VRID, with one heap of
// deadlines. The driver (driver.hpp) calls it; it never sees bytes, sockets or the clock.
//
// Reload matches instances by (interface, VRID). Unchanged ones are not touched: no extra advert,
// no missed one. Changed ones adapt without leaving their state; new ones start; missing ones leave
// as on shutdown and end with Removed.
#pragma once

#include "vrrp/core/deadline_heap.hpp"
#include "vrrp/core/instance.hpp"

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace holdfast::vrrp {

class Router {
 public:
  /// No instances yet is fine: Reload brings them. Keys (interface, VRID) must be unique: the
  /// configuration sees to it.
  explicit Router(std::vector<InstanceSettings> instances = {});

  void step(const Event& event, Instant now, Actions& out);
  /// The earliest moment at which step(Tick) has something to do. O(1).
  [[nodiscard]] std::optional<Instant> deadline() const { return deadlines_.earliest(); }

  /// All instances in the order of the configuration; leaving ones at the end.
  [[nodiscard]] std::vector<InstanceId> ids() const;
  /// Everything to show about an instance. Valid until the next step. The id must come from this
  /// router.
  [[nodiscard]] const Instance& view(InstanceId id) const;
  /// False once an instance was removed: ids in late answers of the shell may be that old.
  [[nodiscard]] bool contains(InstanceId id) const;
  [[nodiscard]] std::optional<InstanceId> find(std::string_view interface, std::uint8_t vrid) const;

  /// Handle for packets of this interface; nullopt for interfaces that no event and no setting ever
  /// named. Handles stay.
  [[nodiscard]] std::optional<InterfaceId> interface_id(std::string_view name) const;
  [[nodiscard]] const std::string& interface_name(InterfaceId id) const;
  /// The instance that packets with this VRID on this interface belong to. O(1).
  [[nodiscard]] const Instance* receiver(InterfaceId interface, std::uint8_t vrid) const;
  /// Interfaces that instances listen on, each once.
  [[nodiscard]] std::vector<std::string> interfaces_in_use() const;

  /// Packets that belong to no instance: other VRIDs, and what was too broken to say.
  void count_stray(InterfaceId interface, RejectReason reason);
  [[nodiscard]] const RejectCounters& strays(InterfaceId interface) const;

  /// Smallest interval of all instances: a wake-up later than this may be a pause. nullopt without
  /// instances.
  [[nodiscard]] std::optional<Duration> shortest_interval() const { return shortest_interval_; }
  [[nodiscard]] bool has_stopped() const { return stopped_; }

 private:
  static constexpr std::size_t kVridValues = 256;
  static constexpr std::size_t kNoSlot = static_cast<std::size_t>(-1);

  struct Interface {
    std::string name;
    std::optional<InterfaceStatus> status;
    std::array<std::size_t, kVridValues> slot_by_vrid{};
    RejectCounters strays;
  };

  void on(const Startup& event, Instant now, Actions& out);
  void on(const Tick& event, Instant now, Actions& out);
  void on(const AdvertReceived& event, Instant now, Actions& out);
  void on(const AdvertRejected& event, Instant now, Actions& out);
  void on(const InterfaceChanged& event, Instant now, Actions& out);
  void on(const AddressesFailed& event, Instant now, Actions& out);
  void on(const AddressesRepaired& event, Instant now, Actions& out);
  void on(const Shutdown& event, Instant now, Actions& out);
  void on(const ShutdownNow& event, Instant now, Actions& out);
  void on(const ProcessPaused& event, Instant now, Actions& out);
  void on(const ResumeFromPage& event, Instant now, Actions& out);
  void on(const Reload& event, Instant now, Actions& out);

  std::size_t add_instance(InstanceSettings settings);
  std::size_t replace_instance(const InstanceSettings& settings, Instant now, Actions& out);
  Interface& interface_named(std::string_view name);
  void step_slot(std::size_t slot, const InstanceEvent& event, Instant now, Actions& out);
  void step_all(const InstanceEvent& event, Instant now, Actions& out);
  void forget_removed();
  void update_shortest_interval();
  [[nodiscard]] std::size_t slot_of(InstanceId id) const;

  std::vector<std::unique_ptr<Instance>>
      slots_;                         // empty ones are reused; addresses of instances stay
  std::vector<std::size_t> order_;    // slots in the order of the configuration
  std::vector<std::size_t> leaving_;  // slots that a reload removed, still in their handover
  std::vector<std::size_t> removed_;  // slots whose Removed was emitted, freed at the next step
  std::unordered_map<std::uint32_t, std::size_t> slot_by_id_;
  std::vector<Interface> interfaces_;
  std::unordered_map<std::string, std::size_t> interface_by_name_;
  DeadlineHeap deadlines_;
  std::optional<Duration> shortest_interval_;
  std::uint32_t next_id_ = 1;
  bool running_ = false;
  bool stopping_ = false;
  bool stopped_ = false;
};

}  // namespace holdfast::vrrp
