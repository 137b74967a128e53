#include "vrrp/core/rehearsal.hpp"

#include "vrrp/core/match.hpp"
#include "vrrp/core/situation.hpp"

#include <algorithm>

namespace holdfast::vrrp {
namespace {

/// Both bursts after a takeover; what comes after that is refreshing.
constexpr int kBursts = 2;

std::vector<VirtualAddress> without(const std::vector<VirtualAddress>& some,
                                    const std::vector<VirtualAddress>& others) {
  std::vector<VirtualAddress> rest;
  for (const VirtualAddress& each : some)
    if (std::find(others.begin(), others.end(), each) == others.end()) rest.push_back(each);
  return rest;
}

const core::Shared<Subject>* subject_of(const Action& action) {
  return std::visit(Match{[](const Stopped&) -> const core::Shared<Subject>* { return nullptr; },
                          [](const auto& each) { return &each.router; }},
                    action);
}

}  // namespace

Rehearsal::Rehearsal(DirectorCopy copy)
    : driver_(std::move(copy.router)),
      turn_(std::move(copy.turn)),
      began_at_(copy.now),
      now_(copy.now),
      peers_(driver_.router(), copy.now),
      is_wanted_(std::move(copy.is_wanted)) {
  for (const Instance* instance : router().instances()) {
    const auto& placement = instance->placement();
    if (placement && !placement->problem.empty()) short_of_.emplace(instance->key(), *placement);
    Shown& shown = shown_[instance->key()];
    if (instance->holds_addresses()) shown.held = instance->settings().all_addresses().copy();
    if (instance->state_name() != StateName::master) continue;
    if (auto last = instance->next_departure()) shown.last_advert = std::move(*last);
  }
  for (const auto& [name, status] : router().situation().interfaces)
    up_[name] = status.exists && status.up;
  do_what_is_due();
}

// What the director would have done in a moment anyway is no consequence of what is rehearsed.
void Rehearsal::do_what_is_due() {
  run(Duration::zero());
  deeds_.clear();
  for (auto& [key, shown] : shown_) {
    shown.takes_part = false;
    shown.announced = 0;
  }
}

// ---- what happens ----

void Rehearsal::reload(std::vector<InstanceSettings> next,
                       const std::map<std::string, InterfaceStatus>& interfaces) {
  Actions actions;
  driver_.begin(now_, Duration::zero(), actions);
  const auto all_known = router().situation().interfaces;
  for (const auto& [name, seen] : interfaces) {
    InterfaceStatus status = seen;
    if (const auto known = all_known.find(name); known != all_known.end()) {
      status = known->second;  // the director knows it, with its sockets
      status.link_local = seen.link_local;
      status.own_addresses = seen.own_addresses;
      status.sources_to = seen.sources_to;
      status.virtual_sources_to = seen.virtual_sources_to;
      if (status == known->second) continue;
    }
    up_[name] = status.exists && status.up;
    driver_.handle(InterfaceChanged{name, status}, now_, actions);
  }
  driver_.handle(Reload{std::move(next)}, now_, actions);
  end_turn(actions);
  deliver();
}

void Rehearsal::change_interface(const std::string& name, InterfaceStatus status) {
  const auto all_known = router().situation().interfaces;
  if (const auto known = all_known.find(name); known != all_known.end()) {
    status.trouble = known->second.trouble;
    status.trouble_v6 = known->second.trouble_v6;
    status.deaf_groups = known->second.deaf_groups;
    status.device_troubles = known->second.device_troubles;
  }
  up_[name] = status.exists && status.up;
  Actions actions;
  driver_.handle(InterfaceChanged{name, status}, now_, actions);
  end_turn(actions);
  deliver();
}

void Rehearsal::run(Duration time) {
  const Instant end = now_ + time;
  while (!ended_early()) {
    const auto ours = driver_.deadline();
    const auto theirs = peers_.deadline();
    if (!ours && !theirs) break;
    const Instant next = std::min(ours.value_or(Instant::max()), theirs.value_or(Instant::max()));
    if (next > end) break;
    now_ = std::max(now_, next);
    peers_.tick(now_, watcher());
    Actions actions;
    driver_.begin(now_, Duration::zero(), actions);
    driver_.finish(actions);
    end_turn(actions);
    deliver();
    ++steps_;
  }
  now_ = end;
}

std::vector<std::string> Rehearsal::without_peers() const {
  std::vector<std::string> names;
  for (const Instance* instance : router().instances()) {
    const auto shown = shown_.find(instance->key());
    if (shown == shown_.end() || !shown->second.takes_part) continue;
    if (!peers_.has_one_of(instance->key())) names.push_back(instance->settings().name);
  }
  return names;
}

// ---- the order of a turn, as the engine has it ----

void Rehearsal::end_turn(Actions& actions) {
  const Step step = [this](const Event& answer, Actions& out) { driver_.answer(answer, out); };
  for (;;) {
    turn_.begin(actions, *this, step);
    for (const Action& action : actions) note(action);
    while (turn_.has_work()) turn_.work(*this, step);
    if (pending_.empty()) return;
    const Event event = std::move(pending_.front());
    pending_.pop_front();
    actions.clear();
    driver_.handle(event, now_, actions);
  }
}

void Rehearsal::send(std::span<const SendAdvert* const> adverts, std::vector<Event>& answers) {
  for (const SendAdvert* advert : adverts) {
    const RouterKey& key = advert->router->key;
    if (is_up(key.interface)) {
      on_the_wire_.push_back(*advert);
      answers.emplace_back(AdvertSent{key, advert->priority});
    } else {
      answers.emplace_back(AdvertRefused{key, advert->priority, "Network is down"});
    }
  }
}

// What the kernel refuses today it would refuse then.
Moved Rehearsal::move(std::span<const AddressMove> moves) {
  for (const AddressMove& move : moves) {
    const auto* wish = std::get_if<const PublishAddresses*>(&move);
    if (wish == nullptr) continue;
    const RouterKey& key = (*wish)->router->key;
    const std::size_t wanted = (*wish)->addresses.size();
    AddressesPlaced placed{.router = key, .wanted = wanted, .placed = wanted, .problem = {}};
    const auto lacking = short_of_.find(key);
    if (lacking != short_of_.end() && lacking->second.wanted == wanted) {
      placed.placed = lacking->second.placed;
      placed.problem = lacking->second.problem;
    }
    pending_.emplace_back(std::move(placed));
  }
  return Moved::all;
}

// ---- the wire ----

bool Rehearsal::is_up(const std::string& interface) const {
  const auto found = up_.find(interface);
  return found != up_.end() && found->second;
}

ImaginedPeers::Watcher Rehearsal::watcher() {
  return {.sends = [this](const SendAdvert& advert) { on_the_wire_.push_back(advert); },
          .changes =
              [this](const IpAddress& peer, const StateChanged& change) {
                keep({.at = now_, .action = change, .peer = peer});
              }};
}

void Rehearsal::deliver() {
  while (!on_the_wire_.empty() && !ended_early()) {
    const SendAdvert advert = std::move(on_the_wire_.front());
    on_the_wire_.pop_front();
    ++steps_;
    const auto peers = peers_.addresses();
    const bool is_theirs =
        std::find(peers.begin(), peers.end(), advert.departure->source) != peers.end();
    peers_.hear(advert, now_, watcher());
    if (is_theirs && is_up(advert.router->key.interface)) receive(advert);
  }
}

void Rehearsal::receive(const SendAdvert& advert) {
  Actions actions;
  driver_.begin(now_, Duration::zero(), actions);
  for (const Letter& letter : advert.departure->letters)
    driver_.receive(received_form(advert, letter), actions);
  driver_.finish(actions);
  end_turn(actions);
}

// ---- what is worth telling ----

void Rehearsal::note(const Action& action) {
  const core::Shared<Subject>* subject = subject_of(action);
  if (subject == nullptr) return keep({.at = now_, .action = action});
  Shown& shown = shown_[(*subject)->key];
  if (is_routine(action, shown)) return;
  shown.takes_part = true;
  Deed deed{.at = now_, .action = action};
  note_addresses(deed, shown);
  keep(std::move(deed));
}

bool Rehearsal::is_routine(const Action& action, Shown& shown) {
  return std::visit(
      Match{[&](const SendAdvert& advert) {
              const bool is_same =
                  shown.last_advert->plain_letters() == advert.departure->plain_letters();
              shown.last_advert = advert.departure;
              return is_same && now_ > began_at_;
            },
            [&](const Announce&) { return !shown.takes_part || ++shown.announced > kBursts; },
            [](const Remember&) { return true; },
            [&](const StateChanged& change) {
              if (change.to != StateName::master) shown.last_advert = Departure{};
              return false;
            },
            [](const auto&) { return false; }},
      action);
}

void Rehearsal::note_addresses(Deed& deed, Shown& shown) {
  std::vector<VirtualAddress> next;
  if (const auto* publish = std::get_if<PublishAddresses>(&deed.action)) {
    next = publish->addresses.copy();
    shown.announced = 0;
  } else if (!std::holds_alternative<WithdrawAddresses>(deed.action) &&
             !std::holds_alternative<Removed>(deed.action)) {
    return;
  }
  deed.placed = without(next, shown.held);
  deed.taken_off = without(shown.held, next);
  shown.held = std::move(next);
}

void Rehearsal::keep(Deed deed) {
  if (deeds_.size() < kMostDeeds) {
    deeds_.push_back(std::move(deed));
  } else {
    ++left_off_;
  }
}

}  // namespace holdfast::vrrp
