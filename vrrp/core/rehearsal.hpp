// What the running director would do: a copy of it is stepped through something that has not
// happened, with a time of its own. What it sends leaves, the kernel grants it what it grants
// today, and the peers that were heard go on (imagined_peers.hpp). Used by `holdfastctl plan` and
// `what-if`, in a thread beside the loop; the director itself does not notice.
#pragma once

#include "vrrp/core/imagined_peers.hpp"
#include "vrrp/core/turn.hpp"

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace holdfast::vrrp {

/// A running director as a value.
struct DirectorCopy {
  Router router;
  Turn turn;  ///< What waits to be done.
  Instant now;
  /// False: nobody waits for the rehearsal any more, and it ends early. Empty: somebody does.
  std::function<bool()> is_wanted = {};
};

/// One thing that somebody would do.
struct Deed {
  Instant at;
  Action action;
  /// Set: not we but this peer.
  std::optional<IpAddress> peer = {};
  /// Of PublishAddresses, WithdrawAddresses and Removed: what that changes.
  std::vector<VirtualAddress> placed = {};
  std::vector<VirtualAddress> taken_off = {};
};

class Rehearsal final : private Doer {
 public:
  /// Thousands of instances and their peers for a quarter of a minute are less.
  static constexpr std::size_t kMostSteps = 2'000'000;
  /// More than these are counted, not kept.
  static constexpr std::size_t kMostDeeds = 10'000;

  explicit Rehearsal(DirectorCopy copy);

  /// As a commit does it: what the interfaces are like that the director does not watch yet, and
  /// which addresses the others have of those that instances name now; then the complete new set.
  void reload(std::vector<InstanceSettings> next,
              const std::map<std::string, InterfaceStatus>& interfaces);
  /// What troubles the interface's sockets goes on to do so.
  void change_interface(const std::string& name, InterfaceStatus status);
  /// This peer says nothing any more. False: it is not known.
  bool silence(const IpAddress& peer) { return peers_.silence(peer); }
  /// Lets time pass. What the director does every second anyway is no deed.
  void run(Duration time);

  [[nodiscard]] const Router& router() const { return driver_.router(); }
  [[nodiscard]] std::vector<IpAddress> peers() const { return peers_.addresses(); }
  /// Names of instances that are concerned, but nobody was heard for them: what others would do
  /// then is not known.
  [[nodiscard]] std::vector<std::string> without_peers() const;
  [[nodiscard]] Instant began_at() const { return began_at_; }
  /// In the order in which they are decided.
  [[nodiscard]] const std::vector<Deed>& deeds() const { return deeds_; }
  /// Beyond kMostDeeds.
  [[nodiscard]] std::size_t left_off() const { return left_off_; }
  /// kMostSteps were not enough for the time that was asked for, or nobody waits any more.
  [[nodiscard]] bool ended_early() const {
    return steps_ > kMostSteps || (is_wanted_ && !is_wanted_());
  }

 private:
  /// What is known of one instance beyond what the core knows.
  struct Shown {
    std::vector<VirtualAddress> held;
    core::Shared<Departure> last_advert;
    bool takes_part = false;  ///< Something but routine has happened to it.
    int announced = 0;        ///< Since addresses were placed.
  };

  void send(std::span<const SendAdvert* const> adverts, std::vector<Event>& answers) override;
  [[nodiscard]] Moved move(std::span<const AddressMove> moves) override;
  [[nodiscard]] Moved keep_moving() override { return Moved::all; }
  void announce(std::span<const Announce* const>, std::vector<Event>&) override {}
  void tell(const Action&) override {}

  void do_what_is_due();
  void end_turn(Actions& actions);
  void deliver();
  void receive(const SendAdvert& advert);
  [[nodiscard]] bool is_up(const std::string& interface) const;
  [[nodiscard]] ImaginedPeers::Watcher watcher();
  void note(const Action& action);
  [[nodiscard]] bool is_routine(const Action& action, Shown& shown);
  void keep(Deed deed);
  static void note_addresses(Deed& deed, Shown& shown);

  Driver driver_;
  Turn turn_;
  Instant began_at_;
  Instant now_;
  ImaginedPeers peers_;
  std::unordered_map<RouterKey, Placement> short_of_;  // what the kernel does not grant today
  std::unordered_map<RouterKey, Shown> shown_;
  std::map<std::string, bool> up_;
  std::deque<Event> pending_;
  std::deque<SendAdvert> on_the_wire_;
  std::vector<Deed> deeds_;
  std::size_t left_off_ = 0;
  std::size_t steps_ = 0;
  std::function<bool()> is_wanted_;
};

}  // namespace holdfast::vrrp
