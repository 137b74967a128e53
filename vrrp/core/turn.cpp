#include "vrrp/core/turn.hpp"

#include <unordered_map>

namespace holdfast::vrrp {
namespace {

// The answers come before anything else is done, so that the rest is decided with them.
void send_adverts(Actions& actions, Doer& doer, const Step& step) {
  std::size_t seen = 0;
  for (int round = 0; round < kMaxAnswerRounds && seen < actions.size(); ++round) {
    std::vector<const SendAdvert*> adverts;
    for (; seen < actions.size(); ++seen) {
      if (const auto* advert = std::get_if<SendAdvert>(&actions[seen])) adverts.push_back(advert);
    }
    if (adverts.empty()) return;
    std::vector<Event> answers;
    doer.send(adverts, answers);
    for (const Event& answer : answers) step(answer, actions);
  }
}

/// Keys stay where they are: thousands of instances move in one turn.
struct SameKey {
  std::size_t operator()(const RouterKey* key) const { return std::hash<RouterKey>{}(*key); }
  bool operator()(const RouterKey* one, const RouterKey* other) const { return *one == *other; }
};
template <class Value>
using ByKey = std::unordered_map<const RouterKey*, Value, SameKey, SameKey>;

template <class Wish>
void note_wish(const Wish& wish, ByKey<std::size_t>& place_of, std::vector<AddressMove>& moves) {
  const auto [place, is_new] = place_of.try_emplace(&wish.router->key, moves.size());
  if (is_new) {
    moves.emplace_back(&wish);
  } else {
    moves[place->second] = &wish;
  }
}

// What was wished for and taken back within one wake-up never reaches the kernel.
std::vector<AddressMove> last_wishes(const Actions& actions) {
  ByKey<std::size_t> place_of;
  std::vector<AddressMove> moves;
  for (const Action& action : actions) {
    if (const auto* publish = std::get_if<PublishAddresses>(&action)) {
      note_wish(*publish, place_of, moves);
    } else if (const auto* withdraw = std::get_if<WithdrawAddresses>(&action)) {
      note_wish(*withdraw, place_of, moves);
    } else if (const auto* removed = std::get_if<Removed>(&action)) {
      note_wish(*removed, place_of, moves);
    }
  }
  return moves;
}

// An announcement that a withdrawal follows would point the segment at us after the addresses have
// gone.
std::vector<const Announce*> valid_announcements(const Actions& actions) {
  ByKey<const WithdrawAddresses*> last_withdrawal;
  for (const Action& action : actions) {
    if (const auto* withdraw = std::get_if<WithdrawAddresses>(&action))
      last_withdrawal[&withdraw->router->key] = withdraw;
  }
  std::vector<const Announce*> valid;
  for (const Action& action : actions) {
    if (const auto* withdraw = std::get_if<WithdrawAddresses>(&action)) {
      const auto found = last_withdrawal.find(&withdraw->router->key);
      if (found != last_withdrawal.end() && found->second == withdraw) last_withdrawal.erase(found);
    } else if (const auto* announce = std::get_if<Announce>(&action)) {
      if (!last_withdrawal.contains(&announce->router->key)) valid.push_back(announce);
    }
  }
  return valid;
}

/// Where the last word about an instance's page stands.
struct LastPage {
  std::size_t place = 0;
  bool is_master = false;
  bool after_removal = false;  ///< It belongs to a new instance: Removed ends the old one's first.

  [[nodiscard]] bool is_claim() const { return is_master && !after_removal; }
};
using LastPages = std::unordered_map<RouterKey, LastPage>;

LastPages last_pages(const Actions& actions) {
  LastPages pages;
  for (std::size_t place = 0; place < actions.size(); ++place) {
    if (const auto* remember = std::get_if<Remember>(&actions[place])) {
      LastPage& page = pages[remember->router->key];
      page.place = place;
      page.is_master = remember->state == StateName::master;
    } else if (const auto* removed = std::get_if<Removed>(&actions[place])) {
      pages[removed->router->key].after_removal = true;
    }
  }
  return pages;
}

// Whoever dies between the addresses and the page leaves addresses that nobody knows of, so a
// master is in it before they are there, and leaves it after they have gone.
void claim(const Actions& actions, Doer& doer) {
  const LastPages pages = last_pages(actions);
  for (std::size_t place = 0; place < actions.size(); ++place) {
    const auto* remember = std::get_if<Remember>(&actions[place]);
    if (remember == nullptr) continue;
    const LastPage& last = pages.at(remember->router->key);
    if (last.place == place && last.is_claim()) doer.tell(actions[place]);
  }
}

bool is_told(const Action& action) {
  return !std::holds_alternative<SendAdvert>(action) &&
         !std::holds_alternative<PublishAddresses>(action) &&
         !std::holds_alternative<WithdrawAddresses>(action) &&
         !std::holds_alternative<Announce>(action);
}

// The rest, in the core's order. Actions from `claimed` on came after the claims.
void tell_rest(const Actions& actions, std::size_t claimed, Doer& doer) {
  const LastPages pages = last_pages(actions);
  for (std::size_t place = 0; place < actions.size(); ++place) {
    if (const auto* remember = std::get_if<Remember>(&actions[place])) {
      const LastPage& last = pages.at(remember->router->key);
      if (last.place != place || (last.is_claim() && place < claimed)) continue;
    }
    if (is_told(actions[place])) doer.tell(actions[place]);
  }
}

}  // namespace

void perform(Actions& actions, Doer& doer, const Step& step) {
  if (actions.empty()) return;
  send_adverts(actions, doer, step);
  const std::size_t claimed = actions.size();
  claim(actions, doer);
  const std::vector<AddressMove> moves = last_wishes(actions);
  if (!moves.empty()) doer.move(moves);
  const std::vector<const Announce*> announcements = valid_announcements(actions);
  std::vector<Event> answers;
  if (!announcements.empty()) doer.announce(announcements, answers);
  for (const Event& answer : answers) step(answer, actions);
  tell_rest(actions, claimed, doer);
}

}  // namespace holdfast::vrrp
