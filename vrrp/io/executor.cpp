#include "vrrp/io/executor.hpp"

#include "runtime/clock.hpp"
#include "vrrp/core/dialect.hpp"
#include "vrrp/core/match.hpp"
#include "vrrp/io/proof_page.hpp"
#include "vrrp/messages.hpp"

#include <unordered_set>
#include <utility>

namespace holdfast::vrrp {
namespace {

constexpr core::Duration kSendErrorEvery = std::chrono::seconds(10);
/// What peers do wrong, of all instances together: an instance limits its own lines, but who forges
/// adverts can have one of each of thousands.
constexpr std::uint32_t kMostPeerLines = 20;
constexpr core::Duration kPeerLinesEvery = std::chrono::seconds(10);

/// A piece of address work keeps the loop for about so long.
constexpr core::Duration kMoveTime = std::chrono::milliseconds(5);

}  // namespace

std::uint64_t page_key(const RouterKey& key) {
  return runtime::handover_key(core::to_string(key));
}

std::vector<netlink::DesiredAddress> desired_addresses(const std::string& interface,
                                                       const AddressList& addresses) {
  std::vector<netlink::DesiredAddress> desired;
  desired.reserve(addresses.size());
  for (const VirtualAddress& address : addresses) {
    desired.push_back({.interface = address.interface.empty() ? interface : address.interface.str(),
                       .prefix = address.prefix,
                       .label = address.label,
                       .broadcast = address.broadcast,
                       .scope = address.scope.value_or(core::kScopeGlobal),
                       .when_taken = address.no_track ? netlink::WhenTaken::stay_away
                                                      : netlink::WhenTaken::put_back,
                       .options = address.options});
  }
  return desired;
}

Executor::Executor(AdvertPorts& ports, AnnounceSocket announcements, netlink::Reflector& reflector,
                   netlink::Routing& routing, netlink::Firewall& firewall, runtime::Logger& logger,
                   std::optional<HandoverPage> page, OnNotify on_notify, OnGroup on_group,
                   OnRemoved on_removed)
    : ports_(ports),
      reflector_(reflector),
      routing_(routing),
      firewall_(firewall),
      logger_(logger),
      page_(std::move(page)),
      on_notify_(std::move(on_notify)),
      on_group_(std::move(on_group)),
      on_removed_(std::move(on_removed)),
      send_errors_(kSendErrorEvery),
      peer_lines_(kMostPeerLines, kPeerLinesEvery),
      announcer_(std::move(announcements), reflector,
                 [this](const std::string& interface, const std::string& why) {
                   complain(interface, "an announcement", why);
                 }) {}

void Executor::send(std::span<const SendAdvert* const> adverts, std::vector<Event>& answers) {
  ports_.send(adverts, answers);
  for (const Event& answer : answers) {
    const auto* refused = std::get_if<AdvertRefused>(&answer);
    // A resignation that cannot leave is what the fault that causes it says already.
    if (refused != nullptr && refused->priority != kResignPriority)
      complain(refused->router.interface, "an advert", refused->sentence);
  }
}

Moved Executor::move(std::span<const AddressMove> moves) {
  std::unordered_set<RouterKey> leaving;
  for (const AddressMove& move : moves) {
    std::visit(Match{[&](const PublishAddresses* publish) {
                       const RouterKey& key = publish->router->key;
                       reflector_.hold(key, desired_addresses(key.interface, publish->addresses));
                       routing_.hold(key);
                       firewall_.hold(key);
                     },
                     [&](const WithdrawAddresses* withdraw) {
                       leaving.insert(withdraw->router->key);
                       if (!keep_addresses_) release(withdraw->router->key);
                     },
                     [&](const Removed* removed) {
                       leaving.insert(removed->router->key);
                       if (!keep_addresses_) forget(removed->router->key);
                     }},
               move);
  }
  announcer_.forget(leaving);
  if (!leaving.empty()) routing_.withdraw();
  firewall_.close();
  return keep_moving();
}

void Executor::release(const RouterKey& key) {
  routing_.release(key);
  firewall_.release(key);
  reflector_.release(key);
}

void Executor::forget(const RouterKey& key) {
  routing_.forget(key);
  firewall_.forget(key);
  reflector_.forget(key);
}

// What leads to an address, or takes it for its source, goes before it and comes after it; what
// closes it comes before it and goes after it.
Moved Executor::keep_moving() {
  if (!reflector_.advance(runtime::now() + kMoveTime)) return Moved::not_yet;
  routing_.apply();
  firewall_.settle();
  return Moved::all;
}

void Executor::announce(std::span<const Announce* const> announcements, std::vector<Event>&) {
  for (const Announce* announce : announcements) announcer_.add(*announce);
}

void Executor::tell(const Action& action) {
  std::visit([this](const auto& each) { tell_about(each); }, action);
}

// The successor of a killed process reads here whether it was master, and whether peers can have
// noticed.
void Executor::tell_about(const Remember& action) {
  if (!page_) return;
  runtime::VrrpRecord record;
  record.since = action.since;
  record.last_advert_sent_at = action.last_advert_at;
  record.silence_allowed = action.silence_allowed;
  record.vrid = action.router->key.vrid;
  record.priority = action.priority;
  record.checksum = number_of(action.checksum);
  if (action.proofs) put_proofs(*action.proofs, record);
  using Held = runtime::VrrpRecord::State;
  record.state = action.state == StateName::master ? Held::master
                 : action.hands_over               ? Held::handing_over
                                                   : Held::other;
  page_->store(page_key(action.router->key), record);
}

void Executor::tell_about(const StateChanged& action) {
  last_change_ = action;
  const runtime::Message& message = action.to == StateName::fault ? kFault : kState;
  logger_.log(message, "{}: {} → {}: {}", action.router->name, to_string(action.from),
              to_string(action.to), action.why);
}

// The core tells of a change first, then whom it concerns.
void Executor::tell_about(const Notify& action) {
  const bool is_of_change =
      last_change_ && last_change_->router->key == action.router->key && !is_hint(action.state);
  on_notify_(action, is_of_change ? &*last_change_ : nullptr);
  if (is_of_change) last_change_.reset();
}

void Executor::tell_about(const GroupChanged& action) {
  const runtime::Message& message = action.to == NotifyState::fault ? kGroupFault : kGroup;
  logger_.log(message, "sync group {}: {} → {}: {}", action.group, to_string(action.from),
              to_string(action.to), action.why);
  on_group_(action);
}

void Executor::tell_about(const PriorityChanged& action) {
  logger_.log(kPriority, "{}: priority {} → {}{}{}", action.router->name, action.from, action.to,
              action.why.empty() ? ": tracking changes nothing any more" : ": ", action.why);
}

void Executor::tell_about(const PeerProblem& action) {
  const auto held_back = peer_lines_.admit(runtime::now());
  if (!held_back) return;
  logger_.log(
      kPeerProblem, "{}: {} (from {}, {} so far){}", action.router->name, action.sentence,
      action.source.to_string(), action.occurrences,
      *held_back == 0
          ? ""
          : fmt::format("; {} lines about other peers were not written before it", *held_back));
}

// What a new instance with the same key writes to the page comes after this.
void Executor::tell_about(const Removed& action) {
  if (page_) page_->erase(page_key(action.router->key));
  on_removed_(action.router->key);
}

void Executor::complain(const std::string& interface, std::string_view what,
                        const std::string& why) {
  const auto held_back = send_errors_.admit(interface, runtime::now());
  if (!held_back) return;
  logger_.log(kSendFailed, "{}: {} could not be sent: {} ({} more like this since the last line)",
              interface.empty() ? "without an interface" : interface, what, why, *held_back);
}

// What was announced before must not follow the new master's own announcements.
void Executor::forget_announcements(const Actions& actions) {
  if (!announcer_.has_work()) return;
  std::unordered_set<RouterKey> gone;
  for (const Action& action : actions) {
    if (const auto* page = std::get_if<Remember>(&action)) {
      if (page->state != StateName::master) gone.insert(page->router->key);
    } else if (const auto* withdraw = std::get_if<WithdrawAddresses>(&action)) {
      gone.insert(withdraw->router->key);
    }
  }
  announcer_.forget(gone);
}

}  // namespace holdfast::vrrp
