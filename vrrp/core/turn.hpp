// What wake-ups ask for, done in the order of the contract: adverts and the page of masters at
// once; then, in pieces between which the loop turns, addresses, announcements, the rest. Shared by
// the daemon's engine and the simulator, so that what is simulated is what runs.
#pragma once

#include "vrrp/core/action.hpp"
#include "vrrp/core/event.hpp"

#include <functional>
#include <list>
#include <span>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace holdfast::vrrp {

/// The last wish about one instance's addresses.
using AddressMove = std::variant<const PublishAddresses*, const WithdrawAddresses*, const Removed*>;

/// Whether the kernel has what move() asked for, or has said no.
enum class Moved : std::uint8_t { not_yet, all };

/// What a shell can do. All pointers live for the call.
class Doer {
 public:
  virtual ~Doer() = default;
  /// Sends all; `answers` gets AdvertSent or AdvertRefused for each.
  virtual void send(std::span<const SendAdvert* const> adverts, std::vector<Event>& answers) = 0;
  /// Begins with at most one move for each instance, in the order in which they were wished for.
  [[nodiscard]] virtual Moved move(std::span<const AddressMove> moves) = 0;
  /// Goes on with what move() began.
  [[nodiscard]] virtual Moved keep_moving() = 0;
  /// In order; only addresses that the kernel has. `answers` gets AnnouncementsRefused.
  virtual void announce(std::span<const Announce* const> announcements,
                        std::vector<Event>& answers) = 0;
  /// Notify, Remember, StateChanged, GroupChanged, PriorityChanged, PeerProblem, Removed, Stopped,
  /// in the core's order of an instance; but of its pages only the last, and a master's before
  /// move().
  virtual void tell(const Action& action) = 0;
};

/// Feeds an answer to the core and appends what the core makes of it: what it takes back there (an
/// address of a master whose adverts do not leave) never happens.
using Step = std::function<void(const Event& answer, Actions& out)>;

class Turn {
 public:
  Turn() = default;
  ~Turn() = default;
  /// A copy has the same work before it: a rehearsal does it elsewhere. Not while a Doer is at it.
  Turn(const Turn& other);
  Turn(Turn&&) = default;
  Turn& operator=(const Turn& other);
  Turn& operator=(Turn&&) = default;

  /// Answers to adverts are fed back for at most so many rounds; an advert that they ask for beyond
  /// that is not sent.
  static constexpr int kMaxAnswerRounds = 3;
  /// A piece of work is about as many addresses, all on one interface, but always a whole instance.
  /// Larger ones cost fewer looks at the interface, smaller ones let a withdrawal wait for less.
  static constexpr std::size_t kPieceAddresses = 512;
  /// And about so many instances.
  static constexpr std::size_t kPieceInstances = 256;

  /// Sends the adverts of a wake-up, and notes masters on the page: whoever dies between addresses
  /// and page leaves addresses that nobody knows of. `actions` grows by what the answers bring. The
  /// rest waits for work(), where it meets what is already waiting for the same instance.
  void begin(Actions& actions, Doer& doer, const Step& step);
  [[nodiscard]] bool has_work() const { return !piece_.empty() || !is_idle() || stopped_; }
  /// Does a piece, or goes on with it. Instances that leave their addresses come first.
  void work(Doer& doer, const Step& step);

 private:
  /// All that waits for one instance, in the core's order.
  struct Job {
    core::Shared<Subject> router;
    std::vector<Action> actions;
    bool leaves = false;  ///< It is to give its addresses up, at least for a moment.
  };
  using Jobs = std::list<Job>;

  /// Room that is kept between two wake-ups: what one of them serves.
  static constexpr std::size_t kKeptAdverts = 256;

  void index(Jobs& jobs);
  [[nodiscard]] bool is_idle() const { return leaving_.empty() && others_.empty(); }
  void send_adverts(Actions& actions, Doer& doer, const Step& step);
  void keep(const Action& action);
  void claim(const Actions& actions, Doer& doer);
  void forget_pages(const RouterKey& key);
  void drop_announcements(const RouterKey& key);
  void take_piece();
  void take_from(Jobs& jobs, const std::string& interface, std::size_t& addresses);
  void end_piece(Doer& doer, const Step& step);
  [[nodiscard]] bool will_leave(const RouterKey& key) const;

  Jobs leaving_;
  Jobs others_;
  std::unordered_map<RouterKey, Jobs::iterator> job_of_;
  std::unordered_map<RouterKey, int> removals_;  // how often Removed waits
  Jobs piece_;                                   // under way: its addresses are being moved
  bool stopped_ = false;                         // Stopped waits for everything else
  std::vector<const SendAdvert*> adverts_;       // of one round: only their room is kept
  std::vector<Event> answers_;
};

}  // namespace holdfast::vrrp
