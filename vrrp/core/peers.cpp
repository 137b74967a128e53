// Who was heard, what is odd about it, and how often that is worth a word.
#include "vrrp/core/instance.hpp"
#include "vrrp/core/match.hpp"
#include "vrrp/core/timing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace holdfast::vrrp {
namespace {

using namespace std::chrono_literals;

/// How often one kind of peer problem is repeated while it lasts.
constexpr Duration kReportEvery = 60s;
/// Another address list is told when it changes, but not more often: who forges adverts can change
/// it with each of them.
constexpr Duration kAddressListEvery = 10s;
/// So many addresses of it.
constexpr std::size_t kAddressesTold = 10;
/// A second master is told less and less often, down to this.
constexpr Duration kLongestRivalGap = 1h;

}  // namespace

void Instance::note_sender(const AdvertReceived& event, Instant now, Actions& out) {
  const Advert& advert = event.advert;
  ++counters_.adverts_received;
  master_resigned_ = advert.priority == kResignPriority;
  if (master_resigned_) {
    ++counters_.priority_zero_received;
    if (heard_master_) heard_master_->heard_at = now;
  } else {
    heard_master_ = HeardMaster{event.source, advert.priority, now, advert.interval};
    if (!slowest_peer_ || advert.priority <= slowest_peer_->priority ||
        now - slowest_peer_->heard_at > kPeerMemory) {
      slowest_peer_ = heard_master_;
    }
  }
  if (settings_.version == 3 && settings_.family == core::Family::v4) {
    note_dialect(dialects_.ensure(), event.source, advert.checksum, now);
    // Only to a backup silence says something: who refuses the master's adverts would be heard as a
    // master, too. A master hears nobody.
    if (state_name() == StateName::backup && now - since_ > kPeerMemory)
      forget_silent(*dialects_, now - kPeerMemory);
  }
  note_addresses(event, now, out);
}

void Instance::note_addresses(const AdvertReceived& event, Instant now, Actions& out) {
  const bool same_peer = list_difference_ && list_difference_->peer == event.source;
  if (!event.address_list_differs) {
    if (same_peer) list_difference_.reset();
    return;
  }
  ReportTimes& times = reported_at_.ensure();
  const auto told = std::find_if(times.begin(), times.end(), [](const auto& each) {
    return each.first == RejectReason(Objection::address_list);
  });
  const bool is_told = same_peer && list_difference_->theirs == event.advert.addresses;
  const bool was_just_told = told != times.end() && now - told->second < kAddressListEvery;
  if (is_told || was_just_told) {  // a change that stays is told when its time comes
    counters_.rejected.add(Objection::address_list);
    return;
  }
  if (told != times.end()) times.erase(told);
  list_difference_ = ListDifference{event.source, event.advert.addresses};
  const auto& theirs = event.advert.addresses;
  const std::size_t shown = std::min(theirs.size(), kAddressesTold);
  report(
      Objection::address_list, event.source,
      fmt::format("advertises other addresses than ours: {}{}",
                  core::join(std::span(theirs).first(shown)),
                  shown == theirs.size() ? "" : fmt::format(" and {} more", theirs.size() - shown)),
      now, out);
}

std::optional<Rival> Instance::rival(Instant now) const {
  const Duration interval = heard_master_ ? heard_master_->interval : settings_.advert_interval;
  const Duration silence =
      silence_allowed(settings_, std::max(interval, settings_.advert_interval));
  if (!rival_ || now - rival_->heard_at > silence) return std::nullopt;
  return *rival_;
}

// The script runs when a split begins and then at growing distances; the line waits for the second
// advert, because one may have crossed with our own when we took over.
void Instance::note_rival(const AdvertReceived& event, Instant now, Actions& out) {
  counters_.rejected.add(Objection::second_master);
  if (!rival(now)) {
    rival_ = Rival{.address = {},
                   .priority = 0,
                   .since = now,
                   .heard_at = now,
                   .adverts = 0,
                   .tell_at = now,
                   .gap = kReportEvery};
  }
  rival_->address = event.source;
  rival_->priority = event.advert.priority;
  rival_->heard_at = now;
  const bool is_first = ++rival_->adverts == 1;
  if (!is_first && now >= rival_->tell_at) {
    rival_->tell_at = now + rival_->gap;
    rival_->gap = std::min(2 * rival_->gap, kLongestRivalGap);
    out.emplace_back(PeerProblem{
        subject_, Objection::second_master, event.source,
        fmt::format("is master too, with priority {} (ours is {}), for {:.0f} s: it does not hear "
                    "our adverts or rejects them, look at its log and at what filters between you",
                    event.advert.priority, settings_.priority, seconds(now - rival_->since)),
        counters_.rejected[Objection::second_master]});
    if (rival_->adverts > 2) notify(NotifyState::master_rx_lower_pri, out);
  } else if (is_first) {
    notify(NotifyState::master_rx_lower_pri, out);
  }
}

bool Instance::hears_another_master(Instant now) const {
  return heard_master_ && !master_resigned_ &&
         now - heard_master_->heard_at < silence_allowed(settings_, heard_master_->interval);
}

/// That of the master that is heard, in version 3, or our own.
Duration Instance::master_interval(Instant now) const {
  const bool lives_by_master = settings_.version == 3 && hears_another_master(now);
  return lives_by_master ? heard_master_->interval : settings_.advert_interval;
}

void Instance::report(RejectReason reason, const IpAddress& source, const std::string& sentence,
                      Instant now, Actions& out) {
  counters_.rejected.add(reason);
  ReportTimes& times = reported_at_.ensure();
  auto told = std::find_if(times.begin(), times.end(),
                           [&](const auto& each) { return each.first == reason; });
  if (told == times.end()) {
    told = times.insert(told, {reason, now});
  } else if (now - told->second < kReportEvery) {
    return;
  }
  told->second = now;
  out.emplace_back(PeerProblem{subject_, reason, source, sentence, counters_.rejected[reason]});
}

}  // namespace holdfast::vrrp
