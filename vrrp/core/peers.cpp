// Who was heard, what is odd about it, and how often that is worth a word.
#include "vrrp/core/instance.hpp"
#include "vrrp/core/match.hpp"
#include "vrrp/core/timing.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::vrrp {
namespace {

using namespace std::chrono_literals;

/// How often one kind of peer problem is repeated while it lasts.
constexpr Duration kReportEvery = 60s;
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
    heard_master_ = HeardMaster{event.source, advert.priority, now};
    if (!slowest_peer_ || advert.priority <= slowest_peer_->priority ||
        now - slowest_peer_->heard_at > kPeerMemory) {
      slowest_peer_ = heard_master_;
    }
  }
  note_addresses(event, now, out);
}

void Instance::note_addresses(const AdvertReceived& event, Instant now, Actions& out) {
  const bool same_peer = list_difference_ && list_difference_->peer == event.source;
  if (!event.address_list_differs) {
    if (same_peer) list_difference_.reset();
    return;
  }
  if (same_peer && list_difference_->theirs == event.advert.addresses) {
    counters_.rejected.add(Objection::address_list);
    return;
  }
  list_difference_ = ListDifference{event.source, event.advert.addresses};
  std::erase_if(reported_at_.ensure(), [](const auto& told) {  // a change is always worth a line
    return told.first == RejectReason(Objection::address_list);
  });
  report(
      Objection::address_list, event.source,
      fmt::format("advertises other addresses than ours: {}", core::join(event.advert.addresses)),
      now, out);
}

std::optional<Rival> Instance::rival(Instant now) const {
  if (!rival_ || now - rival_->heard_at > silence_allowed(settings_)) return std::nullopt;
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
         now - heard_master_->heard_at < silence_allowed(settings_);
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
