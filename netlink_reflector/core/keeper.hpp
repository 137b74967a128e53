// Who wants which addresses, what is being done about it, and what came out. Called by the
// reflector's shell, which gives it the mirror, sends the steps it asks for and carries out its
// notices. Never talks to the kernel, never reads a clock. A value: copying one copies the case.
#pragma once

#include "core/router_key.hpp"
#include "core/time.hpp"
#include "netlink_reflector/core/owned.hpp"
#include "netlink_reflector/core/owners.hpp"
#include "netlink_reflector/core/plan.hpp"
#include "netlink_reflector/core/standings.hpp"
#include "netlink_reflector/core/table.hpp"

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace holdfast::netlink {

/// The kernel's tables as the mirror has them.
struct Mirror {
  LinkTable links;
  AddressTable addresses;
};

/// Steps for one interface, to be sent in this order; the answers go to Keeper::on_results.
struct Batch {
  InterfaceIndex index = 0;
  /// What the interface is called, for messages.
  std::string interface;
  std::vector<Step> steps;
};

/// What the kernel said about one step. 0: done.
struct StepResult {
  int system_errno = 0;
  std::string text;
};

/// The work of a hold or release is done, or its outcome changed.
struct Published {
  core::RouterKey owner;
  Publication publication;
  bool operator==(const Published&) const = default;
};
/// An address that an owner held is gone, and it could not be mended at once.
struct Lost {
  core::RouterKey owner;
  Publication publication;
  bool operator==(const Lost&) const = default;
};
/// An address that somebody removed or changed is back, for these owners.
struct Repaired {
  std::string interface;
  core::IpPrefix prefix;
  std::vector<core::RouterKey> owners;
  bool operator==(const Repaired&) const = default;
};
/// The kernel refused a step; the sentence says what and why.
struct Refused {
  std::string sentence;
  bool operator==(const Refused&) const = default;
};
/// A claimed or wanted address is on the interface without us, and will stay there without us.
struct Foreign {
  std::string interface;
  core::IpPrefix prefix;
  bool operator==(const Foreign&) const = default;
};
/// What a predecessor left on the interface is about to be taken off.
struct LeftOver {
  std::string interface;
  core::IpPrefix prefix;
  bool operator==(const LeftOver&) const = default;
};
using Notice = std::variant<Published, Lost, Repaired, Refused, Foreign, LeftOver>;

/// Whether another process of ours keeps addresses in this network namespace.
enum class OtherKeepers : std::uint8_t { none, some };

class Keeper {
 public:
  /// A plan that the kernel accepted but that did not come true is tried this often before the
  /// retry delay.
  static constexpr int kMaxRounds = 3;
  /// More repairs of one interface within kRepairWindow than this: somebody fights us; wait for the
  /// retry delay.
  static constexpr std::size_t kMaxRepairs = 10;
  static constexpr core::Duration kRepairWindow = std::chrono::seconds(1);
  /// The delay after which a refused address is tried again doubles up to this.
  static constexpr core::Duration kMaxRetryAfter = std::chrono::seconds(60);

  explicit Keeper(core::Duration retry_after) : retry_after_(retry_after) {}

  /// See the functions of the same names in reflector.hpp.
  void claim(const core::RouterKey& owner, DesiredAddresses addresses);
  void hold(const core::RouterKey& owner, DesiredAddresses addresses);
  void release(const core::RouterKey& owner);
  void forget(const core::RouterKey& owner);
  void sweep_leftovers(Statics statics = Statics::go);

  /// What a predecessor left: of `listed` (its vrrp.owned) what is really there, and what carries
  /// our mark unless that may be the work of another keeper. To be called once, with the first
  /// complete mirror.
  void inherit(const OwnedList& listed, OtherKeepers others, const Mirror& mirror);

  /// The mirror changed; called after it did.
  void on_link(const LinkEvent& event, core::Instant now);
  void on_address(const AddressEvent& event, const Mirror& mirror, core::Instant now);
  /// The answers to all steps of a batch, in order; the mirror has the kernel's events up to there.
  void on_results(const Batch& batch, const std::vector<StepResult>& results, const Mirror& mirror,
                  core::Instant now);

  /// Appends what has to be done now and what has to be told. At most one batch per interface is
  /// out at a time. Before a batch is sent, take_owned_changes() has to be on record.
  void work(const Mirror& mirror, core::Instant now, std::vector<Batch>& batches,
            std::vector<Notice>& notices);
  /// What became ours (before it is added) and what no longer is (after it was read back), since
  /// the last call.
  [[nodiscard]] std::vector<OwnedChange> take_owned_changes();
  /// There is something for work() to do before any deadline.
  [[nodiscard]] bool has_work() const;
  /// When to call work() again by itself; nullopt: only after an event.
  [[nodiscard]] std::optional<core::Instant> deadline() const;

  [[nodiscard]] Publication publication(const core::RouterKey& owner, const Mirror& mirror) const;
  /// Somebody wants an address on the interface of this name now.
  [[nodiscard]] bool is_wanted(std::string_view interface) const;
  /// See primary_v4 in reflector.hpp.
  [[nodiscard]] std::optional<core::IpAddress> source(const Mirror& mirror, InterfaceIndex index,
                                                      core::Family family) const;
  /// See reflector.hpp.
  [[nodiscard]] bool is_ours(const core::IpAddress& address) const;
  /// How many addresses are ours, leftovers included.
  [[nodiscard]] std::size_t owned_count() const;
  /// Of those: what a sweep that lets statics stay does not touch.
  [[nodiscard]] std::size_t staying_count() const;
  /// They themselves: what all changes so far amount to.
  [[nodiscard]] OwnedList owned() const;
  [[nodiscard]] const ReflectorCounters& counters() const { return counters_; }
  [[nodiscard]] ReflectorCounters& counters() { return counters_; }

 private:
  /// Leftovers are looked for once, at the start.
  enum class Sweep : std::uint8_t { unasked, due, done };
  /// Why an address is not as it should be, and when it is tried again.
  struct Refusal {
    std::string sentence;
    core::Duration pause{};
    core::Instant retry_at;
  };
  /// An interface by its number: what we have on it follows it through a change of name.
  struct Device {
    std::string name;
    Standings standings;
    std::map<AddressKey, Refusal> refused;
    /// Addresses whose problem changed since the owners were last looked at.
    std::set<core::IpAddress> changed;
    bool in_flight = false;
    int rounds = 0;
    std::deque<core::Instant> repaired_at;
  };
  /// The wishes for one interface, sorted out.
  struct Wish {
    /// The first owner of a key decides its attributes.
    std::map<AddressKey, Address> all;
    /// Of those: what somebody may take away.
    std::set<AddressKey> may_go;
    /// Of those: the director's own.
    std::set<AddressKey> lasting;
    Wanted wanted;
  };

  void touch(const DesiredAddresses& addresses);
  void forget_held(const DesiredAddresses& before, const DesiredAddresses& after);
  void own(Device& device, const AddressKey& key);
  void disown(Device& device, const AddressKey& key);
  void note_change(Ownership what, const std::string& interface, const AddressKey& key);
  [[nodiscard]] Device& device_of(const Link& link);
  void retry_now(Device& device, core::Instant now);

  [[nodiscard]] bool is_fixed(const std::string& name, const AddressKey& key) const;
  [[nodiscard]] bool is_left(const OwnedAddress& listed) const;
  void adopt_leftovers(const Mirror& mirror);
  void adopt(Device& device, const AddressKey& key, const Mirror& mirror);
  void adopt_claimed(const Link& link, Device& device, const DesiredAddress& claimed,
                     const Mirror& mirror);
  void note_lasting(Device& device, const Wish& wish);
  void note_foreign(Device& device, const AddressKey& key, const core::IpPrefix& prefix);
  void answer_wishes(const Mirror& mirror, core::Instant now);
  void rename(Device& device, const std::string& name);
  void work_on(InterfaceIndex index, const Mirror& mirror, core::Instant now,
               std::vector<Batch>& batches);
  [[nodiscard]] Wish wish_on(const Link& link, const Device& device, const AddressTable& addresses,
                             core::Instant now) const;
  [[nodiscard]] static bool let_go(Device& device, const Wish& wish, const AddressTable& addresses);
  void adopt_wanted(Device& device, const Wish& wish);
  void adopt_marked(Device& device, const std::vector<Address>& actual);
  void note_repairs(Device& device, const std::vector<Step>& steps);
  [[nodiscard]] bool give_up(Device& device, const std::vector<Step>& steps, core::Instant now);
  [[nodiscard]] bool is_fought_over(Device& device, core::Instant now) const;
  bool pause(Device& device, const AddressKey& key, std::string sentence, core::Instant now);
  void launch(const Link& link, Device& device, std::vector<Step> steps,
              std::vector<Batch>& batches);
  void read_back(const Link& link, Device& device, const Wish& wish,
                 const std::vector<Address>& actual, core::Instant now);
  void count_repairs(Device& device, const Wish& wish, const std::set<AddressKey>& held,
                     core::Instant now);
  void unsettle_owners(const std::string& name, const std::set<core::IpAddress>& changed);
  void unsettle_all(const std::string& name);
  [[nodiscard]] std::vector<core::RouterKey> owners_of(const std::string& name,
                                                       const AddressKey& key) const;

  [[nodiscard]] bool is_settled(const Owner& owner) const;
  [[nodiscard]] bool lingers(const DesiredAddress& address) const;
  [[nodiscard]] bool is_wanted(const std::string& name, const AddressKey& key) const;
  [[nodiscard]] bool is_held_or_leaving(const std::string& name, const AddressKey& key) const;
  void describe_wanted(HeldAddress& entry, const Link& link, const AddressTable& addresses) const;
  void report(const core::RouterKey& key, Owner& owner, const Mirror& mirror);

  core::Duration retry_after_;
  Owners owners_;
  std::map<InterfaceIndex, Device> devices_;
  /// Interfaces to plan for; those of names that do not exist are only told to their owners.
  std::set<InterfaceIndex> dirty_;
  std::set<std::string> dirty_names_;
  /// Wishes do not wait for an old failure's retry.
  std::set<std::pair<std::string, core::IpAddress>> wished_;
  /// Owners to report about once their interfaces are done.
  std::set<core::RouterKey> unsettled_;
  bool recheck_ = false;
  bool inherited_ = false;
  /// Nobody else gives addresses our mark, and the mirror has been whole once.
  bool marks_are_ours_ = false;
  Sweep sweep_ = Sweep::unasked;
  Statics statics_ = Statics::go;
  std::vector<Notice> notices_;
  std::vector<OwnedChange> owned_changes_;
  ReflectorCounters counters_;
};

}  // namespace holdfast::netlink
