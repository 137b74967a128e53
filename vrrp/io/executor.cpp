#include "vrrp/io/executor.hpp"

#include "core/buffer.hpp"
#include "runtime/clock.hpp"
#include "vrrp/core/match.hpp"
#include "vrrp/messages.hpp"

#include <fstream>
#include <map>
#include <system_error>

namespace holdfast::vrrp {
namespace {

constexpr core::Duration kSendErrorEvery = std::chrono::seconds(10);
/// What peers do wrong, of all instances together: an instance limits its own lines, but who forges
/// adverts can have one of each of thousands.
constexpr std::uint32_t kMostPeerLines = 20;
constexpr core::Duration kPeerLinesEvery = std::chrono::seconds(10);

/// RFC 4861 §6.2.1 IsRouter: what the kernel's own advertisements of this interface would say.
ForwardsPackets forwards_packets(const std::string& interface) {
  std::ifstream setting("/proc/sys/net/ipv6/conf/" + interface + "/forwarding");
  int value = 0;
  setting >> value;
  return value == 0 ? ForwardsPackets::no : ForwardsPackets::yes;
}

const std::string& interface_of(const Announce& action, const VirtualAddress& address) {
  return address.interface.empty() ? action.router->key.interface : address.interface;
}

}  // namespace

std::uint64_t page_key(const RouterKey& key) {
  return runtime::handover_key(core::to_string(key));
}

std::vector<netlink::DesiredAddress> desired_addresses(const std::string& interface,
                                                       const AddressList& addresses) {
  std::vector<netlink::DesiredAddress> desired;
  desired.reserve(addresses.size());
  for (const VirtualAddress& address : addresses) {
    desired.push_back({.interface = address.interface.empty() ? interface : address.interface,
                       .prefix = address.prefix,
                       .label = address.label,
                       .broadcast = address.broadcast,
                       .scope = address.scope.value_or(netlink::kScopeGlobal),
                       .when_taken = address.no_track ? netlink::WhenTaken::stay_away
                                                      : netlink::WhenTaken::put_back});
  }
  return desired;
}

Executor::Executor(AdvertPorts& ports, AnnounceSocket announcements, netlink::Reflector& reflector,
                   runtime::Logger& logger, std::optional<HandoverPage> page, OnNotify on_notify,
                   OnRemoved on_removed)
    : ports_(ports),
      announcements_(std::move(announcements)),
      reflector_(reflector),
      logger_(logger),
      page_(std::move(page)),
      on_notify_(std::move(on_notify)),
      on_removed_(std::move(on_removed)),
      send_errors_(kSendErrorEvery),
      peer_lines_(kMostPeerLines, kPeerLinesEvery) {}

void Executor::send(std::span<const SendAdvert* const> adverts, std::vector<Event>& answers) {
  ports_.send(adverts, answers);
  for (const Event& answer : answers) {
    const auto* refused = std::get_if<AdvertRefused>(&answer);
    // A resignation that cannot leave is what the fault that causes it says already.
    if (refused != nullptr && refused->priority != kResignPriority)
      complain(refused->router.interface, "an advert", refused->sentence);
  }
}

void Executor::move(std::span<const AddressMove> moves) {
  for (const AddressMove& move : moves) {
    std::visit(Match{[&](const PublishAddresses* publish) {
                       const RouterKey& key = publish->router->key;
                       reflector_.hold(key, desired_addresses(key.interface, *publish->addresses));
                     },
                     [&](const WithdrawAddresses* withdraw) {
                       if (!keep_addresses_) reflector_.release(withdraw->router->key);
                     },
                     [&](const Removed* removed) {
                       if (!keep_addresses_) reflector_.forget(removed->router->key);
                     }},
               move);
  }
  reflector_.flush();
}

/// Room for announcements that is kept between two bursts.
constexpr std::size_t kKeptFrames = 1024;

void Executor::announce(std::span<const Announce* const> announcements,
                        std::vector<Event>& answers) {
  for (std::size_t i = 0; i < announcements.size(); ++i) queue_announcement(*announcements[i], i);
  if (frames_.empty()) return;
  std::map<std::size_t, std::uint64_t> refused;
  announcements_.send(frames_, [&](std::size_t index, int error) {
    const RouterKey& key = announcements[tags_[index]]->router->key;
    complain(key.interface, "an announcement", std::generic_category().message(error));
    ++refused[tags_[index]];
  });
  for (const auto& [tag, count] : refused)
    answers.emplace_back(AnnouncementsRefused{announcements[tag]->router->key, count});
  core::empty_for_reuse(frames_, kKeptFrames);
  core::empty_for_reuse(tags_, kKeptFrames);
}

// Round robin, as keepalived does: a lost moment costs every address one repetition, not one
// address all.
void Executor::queue_announcement(const Announce& action, std::size_t tag) {
  std::vector<AnnounceFrame> round;
  for (const VirtualAddress& address : *action.addresses) {
    const netlink::Link* link = reflector_.link(interface_of(action, address));
    const core::IpAddress& ip = address.prefix.address;
    if (link == nullptr || !link->mac || link->no_arp || !reflector_.holds(link->index, ip))
      continue;
    round.push_back(
        ip.is_v4() ? AnnounceFrame::arp(link->index, *link->mac, ip)
                   : AnnounceFrame::na(link->index, *link->mac, ip, forwards_packets(link->name)));
  }
  for (std::uint32_t i = 0; i < action.repeat; ++i)
    frames_.insert(frames_.end(), round.begin(), round.end());
  tags_.resize(frames_.size(), tag);
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
  using Held = runtime::VrrpRecord::State;
  record.state = action.state == StateName::master ? Held::master
                 : action.hands_over               ? Held::handing_over
                                                   : Held::other;
  page_->store(page_key(action.router->key), record);
}

void Executor::tell_about(const StateChanged& action) {
  const runtime::Message& message = action.to == StateName::fault ? kFault : kState;
  logger_.log(message, "{}: {} → {}: {}", action.router->name, to_string(action.from),
              to_string(action.to), action.why);
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
              interface, what, why, *held_back);
}

}  // namespace holdfast::vrrp
