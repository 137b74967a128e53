// Who was heard, what is odd about it, and how often that is worth a word.
#include "vrrp/core/instance.hpp"
#include "vrrp/core/match.hpp"
#include "vrrp/core/sentences.hpp"
#include "vrrp/core/timing.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::vrrp {
namespace {

using namespace std::chrono_literals;

/// How often one kind of peer problem is repeated while it lasts.
constexpr Duration kReportEvery = 60s;
/// Another address list is told when it changes, but not more often: who forges adverts can change
/// it with each of them.
constexpr Duration kAddressListEvery = 10s;
/// A second master is told less and less often, down to this.
constexpr Duration kLongestRivalGap = 1h;

}  // namespace

void Instance::note_sender(const AdvertReceived& event, Instant now, Actions& out) {
  const Advert& advert = event.advert;
  const bool is_known = heard_master_ && heard_master_->address == event.source;
  ++counters_.adverts_received;
  if (remarks_) end_remarks(*remarks_, event.source);
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
  if (settings_.family == core::Family::v6 && !advert.addresses.front().is_link_local())
    report(Objection::first_address, event.source,
           first_is_not_link_local(advert.addresses.front()), now, out);
  if (!is_known || settings_.address_list_check == AddressListCheck::every_advert)
    note_addresses(event, now, out);
}

void Instance::note_addresses(const AdvertReceived& event, Instant now, Actions& out) {
  const bool same_peer = list_difference_ && list_difference_->peer == event.source;
  if (!event.address_list_differs) {
    if (same_peer) list_difference_.reset();
    return;
  }
  PeerRemarks& remarks = remarks_.ensure();
  const auto told = last_told(remarks, Objection::address_list);
  const bool is_told = same_peer && list_difference_->theirs == event.advert.addresses;
  const bool was_just_told = told && now - *told < kAddressListEvery;
  if (is_told || was_just_told) {  // a change that stays is told when its time comes
    counters_.rejected.add(Objection::address_list);
    PeerRemark& remark = note_remark(remarks, Objection::address_list, event.source, now);
    if (remark.sentence.empty())
      remark.sentence = other_addresses(event.advert.addresses, settings_.addresses);
    return;
  }
  list_difference_ = ListDifference{event.source, event.advert.addresses};
  for (PeerRemark& each : remarks) {  // another list is news
    if (each.reason == RejectReason(Objection::address_list)) each.told_at.reset();
  }
  report(Objection::address_list, event.source,
         other_addresses(event.advert.addresses, settings_.addresses), now, out);
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
  PeerRemark& remark = note_remark(remarks_.ensure(), Objection::second_master, event.source, now);
  if (remark.sentence.empty())
    remark.sentence = "is master too: it does not hear our adverts or rejects them";
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
                    event.advert.priority, priority_, seconds(now - rival_->since)),
        remark.count});
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

/// What only this instance knows about a packet that was refused: whether it has spoken lately, and
/// who else listens.
void Instance::judge(Rejected& rejected, Instant now) const {
  const bool spoke_lately =
      last_advert_at_ != Instant{} && now - last_advert_at_ < silence_allowed(settings_);
  if (rejected.reason == Objection::own_source && !spoke_lately) {
    rejected.reason = Objection::duplicate_address;
    rejected.sentence = duplicate_address();
  }
  const bool is_third = state_name() == StateName::backup && hears_another_master(now) &&
                        heard_master_->address != rejected.source;
  if (is_third && silences_keepalived(rejected.reason))
    rejected.sentence += may_fall_silent(heard_master_->address);
}

void Instance::report(RejectReason reason, const IpAddress& source, const std::string& sentence,
                      Instant now, Actions& out) {
  counters_.rejected.add(reason);
  PeerRemark& remark = note_remark(remarks_.ensure(), reason, source, now);
  remark.sentence = sentence;
  if (remark.told_at && now - *remark.told_at < kReportEvery) return;
  remark.told_at = now;
  out.emplace_back(PeerProblem{subject_, reason, source, sentence, remark.count});
}

}  // namespace holdfast::vrrp
