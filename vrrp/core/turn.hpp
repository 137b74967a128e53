// One wake-up's actions, done in the order of the contract: adverts, the page of masters,
// addresses, announcements, the rest. Shared by the daemon's executor and the simulator, so that
// what is simulated is what runs.
#pragma once

#include "vrrp/core/action.hpp"
#include "vrrp/core/event.hpp"

#include <functional>
#include <span>
#include <variant>
#include <vector>

namespace holdfast::vrrp {

/// The last wish of a wake-up about one instance's addresses.
using AddressMove = std::variant<const PublishAddresses*, const WithdrawAddresses*, const Removed*>;

/// What a shell can do. All pointers are into the actions of the turn and live for the call.
class Doer {
 public:
  virtual ~Doer() = default;
  /// Sends all; `answers` gets AdvertSent or AdvertRefused for each.
  virtual void send(std::span<const SendAdvert* const> adverts, std::vector<Event>& answers) = 0;
  /// One for each instance, in the order in which the last wishes came. Returns when the kernel has
  /// them or has said no: hosts ask back as soon as they hear an announcement.
  virtual void move(std::span<const AddressMove> moves) = 0;
  /// In order; only addresses that the kernel has. `answers` gets AnnouncementsRefused.
  virtual void announce(std::span<const Announce* const> announcements,
                        std::vector<Event>& answers) = 0;
  /// Notify, Remember, StateChanged, PeerProblem, Removed, Stopped, in the core's order; but of the
  /// pages of an instance only the last, and a master's before move().
  virtual void tell(const Action& action) = 0;
};

/// Performs `actions`. `step` feeds an answer to the core and appends what the core makes of it:
/// what it takes back there (an address of a master whose adverts do not leave) never happens.
/// Ends: answers to adverts are fed back for at most kMaxAnswerRounds rounds, and an advert that
/// they ask for beyond that is not sent.
inline constexpr int kMaxAnswerRounds = 3;
using Step = std::function<void(const Event& answer, Actions& out)>;
void perform(Actions& actions, Doer& doer, const Step& step);

}  // namespace holdfast::vrrp
