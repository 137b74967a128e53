// Announcements that wait for their turn: whose, of which address, and when the next one may leave.
// A value without frames and sockets; the announcer of vrrp/io asks it what to send now.
//
// Addresses whose interface has a pace of its own wait in the lane of that interface (or of its
// garp_group), all others in one. A lane goes round over its instances, address by address: a lost
// moment costs every address one repetition, not one address all.
#pragma once

#include "vrrp/core/action.hpp"
#include "vrrp/core/pace.hpp"

#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace holdfast::vrrp {

class AnnounceQueue {
 public:
  /// All interfaces together: what is sent at once, and how long another frame takes. 100,000 a
  /// second are a fifteenth of a gigabit: adverts never stand behind a full queue of a network
  /// card.
  static constexpr std::int64_t kAtOnce = 1024;
  static constexpr Duration kEach = std::chrono::microseconds(10);

  /// What waits already follows the new pace, too.
  void set_pace(const Pace& pace);
  /// What waits for the same instance is not announced twice: the newer list counts.
  void add(const Announce& announce);
  void forget(const RouterKey& router);

  [[nodiscard]] bool empty() const { return waits_.empty(); }
  /// When take() has something to offer; nullopt: nothing waits.
  [[nodiscard]] std::optional<Instant> deadline() const;

  /// One announcement. `interface` is the address's own, or the instance's.
  struct Candidate {
    const core::Shared<Subject>& router;
    const VirtualAddress& address;
    const std::string& interface;
  };
  /// Answers whether there is something to send: what the kernel does not have takes no time.
  using Offer = std::function<bool(const Candidate& candidate)>;
  /// Offers what may leave now, until `frames` of them were taken.
  void take(Instant now, std::size_t frames, const Offer& offer);

 private:
  /// What is left of one announcement in one lane.
  struct Waiting {
    core::Shared<Subject> router;
    AddressList addresses;
    std::uint32_t rounds = 0;
    std::size_t next = 0;  ///< address of this round
  };
  using Line = std::list<Waiting>;
  struct Lane {
    Duration interval{};
    Instant free_at{};
    Line line;
  };
  using Lanes = std::map<LaneName, Lane>;
  /// Where an instance waits: hardly ever in more than one lane.
  struct Place {
    Lanes::iterator lane;
    Line::iterator entry;
  };

  void enter(const core::Shared<Subject>& router, const LaneName& name, AddressList addresses,
             std::uint32_t rounds, std::vector<Place>& places);
  void leave(const Place& place);
  [[nodiscard]] bool serve(Lanes::iterator lane, const Offer& offer);
  void advance(Lanes::iterator lane);

  Pace pace_;
  Lanes lanes_;  // an empty one stays: it knows when it is free
  std::unordered_map<RouterKey, std::vector<Place>> waits_;
  Instant full_at_{};  // of the bucket that all lanes share
};

}  // namespace holdfast::vrrp
