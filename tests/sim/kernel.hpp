// The kernel of one simulated machine, as far as links and addresses go: what netlink says and
// does, whose each address is, which addresses it refuses, and what strangers do to it.
#pragma once

#include "netlink_reflector/core/codec.hpp"
#include "netlink_reflector/core/keeper.hpp"
#include "tests/sim/world.hpp"

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace holdfast::sim {

using NetlinkNews = std::variant<netlink::LinkReport, netlink::AddressReport>;

class Kernel {
 public:
  struct Habits {
    bool keeps_marks = true;  ///< IFA_PROTO: Linux 5.18 and later
    netlink::PromoteSecondaries promote = netlink::PromoteSecondaries::no;
  };
  /// A netlink socket that listens.
  struct Ear {
    std::deque<NetlinkNews> waiting;
    std::function<void()> on_readable;
  };
  /// A network card: its number changes when the interface is made anew, its wire does not.
  struct Card {
    netlink::Link link;
    std::vector<netlink::Address> addresses;
  };

  Kernel(World& world, std::string name, Habits habits)
      : world_(world), name_(std::move(name)), habits_(habits) {}

  // ---- for processes ----
  void listen(Ear& ear) { ears_.insert(&ear); }
  void hang_up(Ear& ear) { ears_.erase(&ear); }
  /// As a dump would say it.
  [[nodiscard]] netlink::Mirror dump() const;
  [[nodiscard]] std::vector<netlink::StepResult> apply(const netlink::Batch& batch);
  [[nodiscard]] const Card* card(netlink::InterfaceIndex index) const;

  // ---- for the swarm ----
  /// `wire`: the segment that it is plugged into.
  void plug_in(std::size_t wire, const std::string& name, std::vector<netlink::Address> own);
  void set_link(std::size_t wire, bool up);
  void rename(std::size_t wire, const std::string& name);
  void unplug(std::size_t wire);
  /// Nothing can tell any more whose the addresses here are.
  void obscure(std::size_t wire);
  void boot();
  void refuse(const core::IpAddress& address);
  void accept(const core::IpAddress& address);
  void somebody_adds(std::size_t wire, netlink::Address address);
  /// Whoever it belongs to. False: it was not there.
  bool somebody_removes(const core::IpAddress& address);
  bool somebody_removes_on(std::size_t wire, const core::IpAddress& address);

  // ---- for oracles ----
  [[nodiscard]] const Card* card_on(std::size_t wire) const;
  [[nodiscard]] std::size_t wire_of(netlink::InterfaceIndex index) const;
  [[nodiscard]] bool refuses(const core::IpAddress& address) const {
    return refused_.contains(address);
  }
  /// Somebody but us had put it there, some time.
  [[nodiscard]] bool was_somebodys(const core::IpAddress& address) const {
    return somebodys_.contains(address);
  }
  [[nodiscard]] bool keeps_marks() const { return habits_.keeps_marks; }
  [[nodiscard]] bool refuses_any() const { return !refused_.empty(); }
  /// Addresses that our processes put there: with the wire on which they are.
  [[nodiscard]] const std::map<core::IpAddress, std::size_t>& ours() const { return ours_; }
  [[nodiscard]] bool has(const core::IpAddress& address) const;
  [[nodiscard]] bool has_on(std::size_t wire, const core::IpAddress& address) const;
  /// When somebody but us made a difference to links or addresses.
  [[nodiscard]] Instant disturbed_at() const { return disturbed_at_; }
  /// When anybody did.
  [[nodiscard]] Instant changed_at() const { return changed_at_; }
  /// Set when a step of ours took something off that is not ours.
  [[nodiscard]] const std::optional<core::IpAddress>& robbed() const { return robbed_; }

 private:
  static constexpr std::size_t kNowhere = 99;
  int apply(Card& card, const netlink::Step& step);
  void tell(const NetlinkNews& news);
  void tell_difference(const std::vector<netlink::Address>& before,
                       const std::vector<netlink::Address>& after);
  /// Duplicate address detection of IPv6 link-local addresses: RFC 4862 §5.4.
  void look_for_duplicates(std::size_t wire, netlink::Address& address);
  void note_robbery(const std::set<netlink::AddressKey>& before, const Card& card);

  World& world_;
  std::string name_;
  Habits habits_;
  std::map<std::size_t, Card> cards_;
  netlink::InterfaceIndex next_index_ = 2;
  std::set<Ear*> ears_;
  std::set<core::IpAddress> refused_;
  std::set<core::IpAddress> somebodys_;
  std::set<netlink::AddressKey> made_by_us_;
  std::set<netlink::AddressKey> obscure_;
  std::map<core::IpAddress, std::size_t> ours_;
  std::optional<core::IpAddress> robbed_;
  Instant disturbed_at_{};
  Instant changed_at_{};
};

}  // namespace holdfast::sim
