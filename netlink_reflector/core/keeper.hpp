// Who wants which addresses, what is being done about it, and what came out. Called by the
// reflector's shell, which gives it the mirror, sends the steps it asks for and carries out its
// notices. Never talks to the kernel, never reads a clock.
#pragma once

#include "core/router_key.hpp"
#include "core/time.hpp"
#include "netlink_reflector/core/plan.hpp"
#include "netlink_reflector/core/publication.hpp"
#include "netlink_reflector/core/table.hpp"

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
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
/// An owner that held everything does so no longer, and it could not be mended at once.
struct Lost {
  core::RouterKey owner;
  std::string reason;
  bool operator==(const Lost&) const = default;
};
/// An address that somebody removed or changed is back.
struct Repaired {
  std::string interface;
  core::IpPrefix prefix;
  bool operator==(const Repaired&) const = default;
};
/// The kernel refused a step; the sentence says what and why.
struct Refused {
  std::string sentence;
  bool operator==(const Refused&) const = default;
};
using Notice = std::variant<Published, Lost, Repaired, Refused>;

class Keeper {
 public:
  /// A plan that the kernel accepted but that did not come true is tried this often before the
  /// retry delay.
  static constexpr int kMaxRounds = 3;
  /// More repairs of one interface within kRepairWindow than this: somebody fights us; wait for the
  /// retry delay.
  static constexpr std::size_t kMaxRepairs = 10;
  static constexpr core::Duration kRepairWindow = std::chrono::seconds(1);

  explicit Keeper(core::Duration retry_after) : retry_after_(retry_after) {}

  /// See the functions of the same names in reflector.hpp.
  void claim(const core::RouterKey& owner, std::vector<DesiredAddress> addresses);
  void hold(const core::RouterKey& owner, std::vector<DesiredAddress> addresses);
  void release(const core::RouterKey& owner);
  void forget(const core::RouterKey& owner);

  /// The mirror changed; called after it did.
  void on_link(const LinkEvent& event, core::Instant now);
  void on_address(const AddressEvent& event, const Mirror& mirror);
  /// The answers to all steps of a batch, in order; the mirror has the kernel's events up to there.
  void on_results(const Batch& batch, const std::vector<StepResult>& results);

  /// Appends what has to be done now and what has to be told. At most one batch per interface is
  /// out at a time.
  void work(const Mirror& mirror, core::Instant now, std::vector<Batch>& batches,
            std::vector<Notice>& notices);
  /// There is something for work() to do before any deadline.
  [[nodiscard]] bool has_work() const { return !dirty_.empty() || !notices_.empty() || recheck_; }
  /// When to call work() again by itself; nullopt: only after an event.
  [[nodiscard]] std::optional<core::Instant> deadline() const;

  [[nodiscard]] Publication publication(const core::RouterKey& owner, const Mirror& mirror) const;
  /// Claimed or held addresses of this interface: never a source address.
  [[nodiscard]] std::vector<core::IpAddress> movable_addresses(const std::string& interface) const;
  [[nodiscard]] const ReflectorCounters& counters() const { return counters_; }
  [[nodiscard]] ReflectorCounters& counters() { return counters_; }

 private:
  struct Owner {
    std::vector<DesiredAddress> claimed;
    std::vector<DesiredAddress> desired;
    /// What release() has to take off, for the report about it.
    std::vector<DesiredAddress> leaving;
    bool wanted = false;
    bool report_due = false;
    std::optional<Publication> last;
  };
  struct Interface {
    /// Owners with an address here, in the order in which they came: the first decides attributes.
    std::vector<core::RouterKey> owners;
    InterfaceIndex index = 0;
    /// Put on or adopted by us: to be removed when nobody wants them.
    std::set<AddressKey> ours;
    /// Read back as present and wanted.
    std::set<AddressKey> held;
    /// Was held, was taken away by somebody, is being put back.
    std::set<AddressKey> repairing;
    /// Claimed just now: what is there already becomes ours.
    std::vector<core::IpAddress> to_adopt;
    /// Sentences of the steps that the kernel refused; `former`: in the round before.
    std::map<AddressKey, std::string> problems;
    std::map<AddressKey, std::string> former_problems;
    bool in_flight = false;
    bool refused = false;
    int rounds = 0;
    std::deque<core::Instant> repaired_at;
    std::optional<core::Instant> retry_at;
  };

  void touch(const std::vector<DesiredAddress>& addresses);
  void enroll(const core::RouterKey& owner, const std::vector<DesiredAddress>& addresses);
  void forget_held(const std::vector<DesiredAddress>& before,
                   const std::vector<DesiredAddress>& after);
  void work_on(const std::string& name, Interface& interface, const Mirror& mirror,
               core::Instant now, std::vector<Batch>& batches);
  void start_over(Interface& interface, InterfaceIndex index);
  [[nodiscard]] bool is_fought_over(Interface& interface, core::Instant now) const;
  void launch(const std::string& name, Interface& interface, std::vector<Step> steps,
              std::vector<Batch>& batches);
  void read_back(const std::string& name, Interface& interface, const Wanted& wanted,
                 const std::vector<Address>& actual, core::Instant now);
  void put_off(Interface& interface, const std::vector<Step>& steps, std::string_view why,
               core::Instant now);
  void unsettle_owners(const std::string& name, const Interface& interface,
                       const std::set<core::IpAddress>& changed);
  [[nodiscard]] Wanted wanted_on(const std::string& name, const Interface& interface,
                                 const Link& link) const;
  [[nodiscard]] bool is_settled(const Owner& owner) const;
  [[nodiscard]] bool is_wanted(const AddressKey& key, const std::string& name,
                               const Link& link) const;
  void report(const core::RouterKey& key, Owner& owner, const Mirror& mirror);

  core::Duration retry_after_;
  std::map<core::RouterKey, Owner> owners_;
  std::map<std::string, Interface, std::less<>> interfaces_;
  /// Interfaces to plan for.
  std::set<std::string> dirty_;
  /// Owners to report about once their interfaces are done.
  std::set<core::RouterKey> unsettled_;
  bool recheck_ = false;
  std::vector<Notice> notices_;
  ReflectorCounters counters_;
};

}  // namespace holdfast::netlink
