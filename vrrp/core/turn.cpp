#include "vrrp/core/turn.hpp"

#include "core/buffer.hpp"

#include <array>
#include <cstddef>
#include <iterator>
#include <memory_resource>
#include <optional>

namespace holdfast::vrrp {
namespace {

/// Whom it is about; nullptr: all of them.
const core::Shared<Subject>* router_of(const Action& action) {
  return std::visit(
      [](const auto& each) -> const core::Shared<Subject>* {
        if constexpr (requires { each.router; }) {
          return &each.router;
        } else {
          return nullptr;
        }
      },
      action);
}

std::size_t addresses_in(const std::vector<Action>& actions) {
  std::size_t count = 0;
  for (const Action& action : actions) {
    if (const auto* publish = std::get_if<PublishAddresses>(&action))
      count += publish->addresses.size();
  }
  return count;
}

/// What was wished for and taken back before its turn came never reaches the kernel.
std::optional<AddressMove> last_wish(const std::vector<Action>& actions) {
  std::optional<AddressMove> wish;
  const WithdrawAddresses* release = nullptr;
  for (const Action& action : actions) {
    if (const auto* publish = std::get_if<PublishAddresses>(&action)) {
      wish = publish;
    } else if (const auto* withdraw = std::get_if<WithdrawAddresses>(&action)) {
      wish = release = withdraw;
    } else if (const auto* removed = std::get_if<Removed>(&action)) {
      wish = removed;
    } else if (wish && std::holds_alternative<const Removed*>(*wish) && release != nullptr) {
      wish = release;  // there is a new instance with this key: what it claims stays known
    }
  }
  return wish;
}

bool is_told(const Action& action) {
  return !std::holds_alternative<SendAdvert>(action) &&
         !std::holds_alternative<PublishAddresses>(action) &&
         !std::holds_alternative<WithdrawAddresses>(action) &&
         !std::holds_alternative<Announce>(action);
}

void tell_all(const std::vector<Action>& actions, Doer& doer) {
  const Action* last_page = nullptr;
  for (const Action& action : actions) {
    if (std::holds_alternative<Remember>(action)) last_page = &action;
  }
  for (const Action& action : actions) {
    const bool is_old_page = std::holds_alternative<Remember>(action) && &action != last_page;
    if (is_told(action) && !is_old_page) doer.tell(action);
  }
}

/// Those of about 256 instances, all that one wake-up serves; more are on the heap.
constexpr std::size_t kPagesOnStack = std::size_t{24} << 10;

/// Where the last word of a wake-up about an instance's page stands.
struct LastPage {
  const Remember* page = nullptr;
  bool after_removal = false;  ///< It belongs to a new instance: Removed ends the old one's first.
};
/// Keys stay where they are: thousands of instances send in one turn.
struct SameKey {
  std::size_t operator()(const RouterKey* key) const { return std::hash<RouterKey>{}(*key); }
  bool operator()(const RouterKey* one, const RouterKey* other) const { return *one == *other; }
};
using LastPages = std::pmr::unordered_map<const RouterKey*, LastPage, SameKey, SameKey>;

LastPages last_pages(const Actions& actions, std::pmr::memory_resource& memory) {
  LastPages pages(&memory);
  for (const Action& action : actions) {
    if (const auto* remember = std::get_if<Remember>(&action)) {
      pages[&remember->router->key].page = remember;
    } else if (const auto* removed = std::get_if<Removed>(&action)) {
      pages[&removed->router->key].after_removal = true;
    }
  }
  return pages;
}

}  // namespace

// ---- a value ----

// The index leads into the lists: a copy has its own.
Turn::Turn(const Turn& other)
    : leaving_(other.leaving_),
      others_(other.others_),
      removals_(other.removals_),
      piece_(other.piece_),
      stopped_(other.stopped_) {
  index(leaving_);
  index(others_);
}

Turn& Turn::operator=(const Turn& other) {
  if (this != &other) *this = Turn(other);
  return *this;
}

void Turn::index(Jobs& jobs) {
  for (auto job = jobs.begin(); job != jobs.end(); ++job) job_of_.emplace(job->router->key, job);
}

// ---- at once ----

// The answers come before anything else is done, so that the rest is decided with them.
void Turn::send_adverts(Actions& actions, Doer& doer, const Step& step) {
  std::size_t seen = 0;
  for (int round = 0; round < kMaxAnswerRounds && seen < actions.size(); ++round) {
    for (; seen < actions.size(); ++seen) {
      if (const auto* advert = std::get_if<SendAdvert>(&actions[seen])) adverts_.push_back(advert);
    }
    if (adverts_.empty()) return;
    doer.send(adverts_, answers_);
    for (const Event& answer : answers_) step(answer, actions);
    core::empty_for_reuse(adverts_, kKeptAdverts);
    core::empty_for_reuse(answers_, kKeptAdverts);
  }
}

void Turn::begin(Actions& actions, Doer& doer, const Step& step) {
  if (actions.empty()) return;
  send_adverts(actions, doer, step);
  claim(actions, doer);
}

// A master is on its page before its addresses are there, and leaves it after they have gone.
void Turn::claim(const Actions& actions, Doer& doer) {
  std::array<std::byte, kPagesOnStack> room;  // an allocation for each advert is felt
  std::pmr::monotonic_buffer_resource memory(room.data(), room.size());
  const LastPages pages = last_pages(actions, memory);
  for (const Action& action : actions) {
    if (const auto* remember = std::get_if<Remember>(&action)) {
      const RouterKey& key = remember->router->key;
      const LastPage& last = pages.at(&key);
      if (last.page != remember) continue;
      const bool is_master = remember->state == StateName::master;
      if (!is_master) drop_announcements(key);
      // Who hands over has its addresses still, and the page says until when.
      const bool holds = is_master || remember->hands_over;
      const bool is_claim = holds && !last.after_removal && !removals_.contains(key);
      if (is_claim) {
        forget_pages(key);  // what an earlier wake-up had to say is old now
        doer.tell(action);
      } else {
        keep(action);
      }
    } else if (!std::holds_alternative<SendAdvert>(action)) {
      keep(action);
    }
  }
}

void Turn::forget_pages(const RouterKey& key) {
  const auto forget = [](Job& job) {
    std::erase_if(job.actions,
                  [](const Action& action) { return std::holds_alternative<Remember>(action); });
  };
  if (const auto found = job_of_.find(key); found != job_of_.end()) forget(*found->second);
  for (Job& job : piece_) {
    if (job.router->key == key) forget(job);
  }
}

// Who gives its addresses up, or is no master any more, announces none, whatever still waits: that
// would point the segment at us after the successor's announcements.
void Turn::drop_announcements(const RouterKey& key) {
  const auto drop = [](Job& job) {
    std::erase_if(job.actions,
                  [](const Action& action) { return std::holds_alternative<Announce>(action); });
  };
  if (const auto found = job_of_.find(key); found != job_of_.end()) drop(*found->second);
  for (Job& job : piece_) {  // its addresses are under way
    if (job.router->key == key) drop(job);
  }
}

// ---- when there is time ----

void Turn::keep(const Action& action) {
  const core::Shared<Subject>* router = router_of(action);
  if (router == nullptr) {
    stopped_ = true;
    return;
  }
  const RouterKey& key = (*router)->key;
  auto found = job_of_.find(key);
  if (found == job_of_.end()) {
    others_.push_back({*router, {}});
    found = job_of_.emplace(key, std::prev(others_.end())).first;
  }
  const Jobs::iterator job = found->second;
  if (std::holds_alternative<WithdrawAddresses>(action)) drop_announcements(key);
  job->actions.push_back(action);
  const bool is_removal = std::holds_alternative<Removed>(action);
  if (is_removal) ++removals_[key];
  if (job->leaves || (!is_removal && !std::holds_alternative<WithdrawAddresses>(action))) return;
  job->leaves = true;
  leaving_.splice(leaving_.end(), others_, job);
}

void Turn::work(Doer& doer, const Step& step) {
  if (piece_.empty()) {
    if (is_idle()) {
      if (stopped_) doer.tell(Stopped{});
      stopped_ = false;
      return;
    }
    take_piece();
    std::vector<AddressMove> moves;
    for (const Job& job : piece_) {
      if (const auto wish = last_wish(job.actions)) moves.push_back(*wish);
    }
    if (!moves.empty() && doer.move(moves) == Moved::not_yet) return;
  } else if (doer.keep_moving() == Moved::not_yet) {
    return;
  }
  end_piece(doer, step);
}

// One interface: the shell looks at all of it for every piece. Those that come after those that
// leave are in it, too: an address that a reload gives to another instance stays where it is.
void Turn::take_piece() {
  const std::string interface =
      (leaving_.empty() ? others_ : leaving_).front().router->key.interface;
  std::size_t addresses = 0;
  take_from(leaving_, interface, addresses);
  take_from(others_, interface, addresses);
}

void Turn::take_from(Jobs& jobs, const std::string& interface, std::size_t& addresses) {
  for (auto at = jobs.begin();
       at != jobs.end() && addresses < kPieceAddresses && piece_.size() < kPieceInstances;) {
    const auto job = at++;
    if (job->router->key.interface != interface) continue;
    addresses += addresses_in(job->actions);
    job_of_.erase(job->router->key);
    piece_.splice(piece_.end(), jobs, job);
  }
}

void Turn::end_piece(Doer& doer, const Step& step) {
  std::vector<const Announce*> announcements;
  for (const Job& job : piece_) {
    if (will_leave(job.router->key)) continue;
    for (const Action& action : job.actions)
      if (const auto* announce = std::get_if<Announce>(&action)) announcements.push_back(announce);
  }
  std::vector<Event> answers;
  if (!announcements.empty()) doer.announce(announcements, answers);
  for (const Job& job : piece_) {
    tell_all(job.actions, doer);
    for (const Action& action : job.actions) {
      if (!std::holds_alternative<Removed>(action)) continue;
      if (const auto waits = removals_.find(job.router->key); --waits->second == 0)
        removals_.erase(waits);
    }
  }
  piece_.clear();
  Actions more;
  for (const Event& answer : answers) step(answer, more);
  begin(more, doer, step);
}

/// A later wake-up has taken back what this piece has done.
bool Turn::will_leave(const RouterKey& key) const {
  const auto found = job_of_.find(key);
  return found != job_of_.end() && found->second->leaves;
}

}  // namespace holdfast::vrrp
