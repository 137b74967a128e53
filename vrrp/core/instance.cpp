// Instance: what belongs to no state. The rest lies in backup.cpp, master.cpp, handover.cpp,
// fault.cpp, followed.cpp, grouped.cpp and peers.cpp.
#include "vrrp/core/instance.hpp"

#include "vrrp/core/ah.hpp"
#include "vrrp/core/match.hpp"
#include "vrrp/core/timing.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::vrrp {

Instance::Instance(InstanceSettings settings) : settings_(std::move(settings)) {
  adopt_settings();
  priority_ = reckon_priority();
  set_interface_fault();
}

void Instance::adopt_settings() {
  subject_ = Subject{settings_.key(), settings_.name};
  addresses_ = settings_.all_addresses();
}

void Instance::step(const InstanceEvent& event, Instant now, Actions& out) {
  std::visit([&](const auto& known) { on(known, now, out); }, event);
}

std::optional<Instant> Instance::deadline() const {
  const auto earlier = [](std::optional<Instant> a, std::optional<Instant> b) {
    return !a ? b : !b ? a : std::min(*a, *b);
  };
  return std::visit(Match{[](const Init& init) { return init.handover_until; },
                          [&](const Backup& backup) {
                            return backup.is_ready || is_deaf()
                                       ? std::nullopt
                                       : std::optional(backup.master_down_at);
                          },
                          [&](const Master& master) {
                            return earlier(master.next_advert_at,
                                           earlier(master.announce_again_at,
                                                   earlier(master.refresh_at, master.extra_at)));
                          },
                          [](const Fault& fault) { return fault.retry_at; }},
                    state_);
}

// Who has heard a master is not deaf, whatever is known of the interface.
bool Instance::is_deaf() const {
  return state_name() == StateName::backup && interface_ && (*interface_)->silent && !heard_master_;
}

bool Instance::holds_addresses() const {
  return std::visit(Match{[](const Init& init) { return init.handover_until.has_value(); },
                          [](const Backup&) { return false; }, [](const Master&) { return true; },
                          [](const Fault&) { return false; }},
                    state_);
}

std::optional<IpAddress> Instance::source_address() const {
  if (!interface_ || !(*interface_)->exists || is_down()) return std::nullopt;
  const bool is_v4 = settings_.family == core::Family::v4;
  if (!settings_.source_address && settings_.is_routed()) return routed_source();
  if (!settings_.source_address)
    return is_v4 ? (*interface_)->primary_address : (*interface_)->link_local;
  const bool must_be_there =
      !is_v4 || settings_.unicast || settings_.source_tracking == SourceTracking::yes;
  if (must_be_there && !is_own(*settings_.source_address)) return std::nullopt;
  return settings_.source_address;
}

// One advert has one source: the first peer that a route leads to decides.
std::optional<IpAddress> Instance::routed_source() const {
  if (!settings_.unicast) return std::nullopt;
  const auto& sources = (*interface_)->sources_to;
  for (const UnicastPeer& peer : settings_.unicast->peers) {
    if (is_own(peer.address)) continue;
    if (const auto found = sources.find(peer.address); found != sources.end()) return found->second;
  }
  return std::nullopt;
}

// Adverts of one that serves on a dead link go nowhere, which is what dont_track_primary asks for.
bool Instance::is_down() const {
  return settings_.primary_tracking == PrimaryTracking::yes && !(*interface_)->up;
}

std::vector<std::string> Instance::deafness() const {
  std::vector<std::string> sentences;
  if (!interface_) return sentences;
  // RFC 9568 §7.3.
  const std::string mac = fmt::format(
      "00:00:5e:00:{}:{:02x}", settings_.family == core::Family::v4 ? "01" : "02", settings_.vrid);
  std::vector<std::string> ours{"", mac};
  if (settings_.unicast) ours.emplace_back("unicast");
  for (const std::string& from : ours) {
    const auto found = (*interface_)->unheard.find(from);
    if (found != (*interface_)->unheard.end()) sentences.push_back(found->second);
  }
  return sentences;
}

bool Instance::is_own(const IpAddress& address) const {
  if (!interface_) return false;
  const std::vector<IpAddress>& own = (*interface_)->own_addresses;
  return std::find(own.begin(), own.end(), address) != own.end();
}

// ---- Startup and resume ----

void Instance::on(const Startup&, Instant now, Actions& out) {
  if (state_name() != StateName::init || leaving_ != Leaving::no)
    return;  // started already, or on its way out
  const bool resumes = may_resume(now);
  const auto page = std::exchange(resume_, {});
  if (page && resumes) return resume_as_master(*page, now, out);
  if (page) {  // too long ago: that sum is of the past
    resumed_priority_ = 0;
    priority_ = reckon_priority();
  }
  out.emplace_back(WithdrawAddresses{subject_});  // a crash may have left them in the kernel
  if (!waits_for_trackers()) return begin(now, out);
  state_ = Init{.handover_until = {}, .waits_for_trackers = true};  // keepalived: nobody is told
}

void Instance::begin(Instant now, Actions& out) {
  if (!faults_.empty()) {
    enter_fault(now, out);
  } else if (settings_.starts_as_master() && !must_hear_a_number_first()) {
    if (is_member()) {
      state_ = Init{.handover_until = {}, .waits_for_trackers = false, .waits_for_group = true};
      return;
    }
    become_master("started, priority 255 owns the addresses", now, out);
  } else {
    // RFC 3768 §6.4.1: listen for Master_Down_Interval first, whatever `state` says (keepalived
    // too).
    const Duration interval = master_interval(now);
    listen(interval, now + down_interval(interval), "started", now, out);
    notify(NotifyState::backup, out);
  }
}

// What counts is how long its peers wait, and they know the interval of then.
Duration Instance::promised_by(const ResumeFromPage& page) const {
  return page.silence_allowed > Duration::zero() ? page.silence_allowed
                                                 : silence_allowed(settings_);
}

void Instance::on(const ResumeFromPage& event, Instant, Actions&) {
  resume_ = event;
  resumed_priority_ = event.priority;
  resumed_adds_ = 0;
  priority_ = reckon_priority();
}

// ---- Time ----

void Instance::on(const Tick&, Instant now, Actions& out) {
  std::visit(Match{[&](Init& init) {
                     if (init.handover_until && *init.handover_until <= now) finish_handover(out);
                   },
                   [&](Backup& backup) {
                     if (backup.master_down_at > now || is_deaf()) return;
                     if (!is_member()) return become_master(why_take_over(now), now, out);
                     backup.is_ready = true;
                   },
                   [&](Master& master) { tick_master(now, master, out); },
                   [&](Fault& fault) {
                     if (!fault.retry_at || *fault.retry_at > now) return;
                     fault.retry_at.reset();
                     forget_failures();
                     reconsider_faults(now, out);
                   }},
             state_);
}

void Instance::on(const ProcessPaused& event, Instant now, Actions& out) {
  std::visit(Match{[](Init&) {}, [&](Backup& backup) { on_pause_as_backup(event, now, backup); },
                   [&](Master&) { on_pause_as_master(event, now, out); }, [](Fault&) {}},
             state_);
}

// ---- Adverts ----

void Instance::on(const AdvertReceived& advert, Instant now, Actions& out) {
  note_proof_of(advert, out);
  note_sender(advert, now, out);
  std::visit(Match{[&](Init& init) {  // a successor speaks: its addresses follow in a moment
                     if (init.handover_until && advert.advert.priority != kResignPriority)
                       init.handover_until = std::min(*init.handover_until, now + kHandoverGrace);
                   },
                   [&](Backup& backup) { on_advert_as_backup(advert, now, backup); },
                   [&](Master& master) { on_advert_as_master(advert, now, master, out); },
                   [](Fault&) {}},  // counted and shown, but we do not take part
             state_);
}

// Two that took over in the same moment use the same number, and each takes the other's adverts
// for old ones: the one with the higher address goes ahead, if it is heard. One that nobody hears
// is master for nobody: one with our key that has begun to count anew, or been recorded, is reason
// enough to give up.
void Instance::on(const AdvertRejected& event, Instant now, Actions& out) {
  const bool is_old =
      event.rejected.reason == Objection::ah_replay && proofs_ && state_name() == StateName::master;
  const bool in_step = is_old && event.rejected.ah_sequence == proofs_->ah_sequence;
  if (in_step && !send_trouble_ && source_address() > event.rejected.source)
    proofs_->ah_sequence = number_after(proofs_->ah_sequence);
  if (is_old) yield_if_mute(event.rejected.source, now, out);
  Rejected rejected = event.rejected;
  judge(rejected, now);
  report(rejected.reason, rejected.source, rejected.sentence, now, out);
}

void Instance::on(const AdvertSent& event, Instant now, Actions& out) {
  ++counters_.adverts_sent;
  note_number_left();
  if (event.priority == kResignPriority) ++counters_.priority_zero_sent;
  last_advert_at_ = now;
  send_trouble_.reset();
  remember(out);
}

void Instance::on(const AnnouncementsRefused& event, Instant, Actions&) {
  counters_.announcements_refused += event.count;
}

// ---- Reload ----

void Instance::on(const Reconfigure& event, Instant now, Actions& out) {
  const InstanceSettings old = std::exchange(settings_, event.settings);
  const std::uint8_t old_priority = priority_;
  const bool tracks = !old.trackers.empty() || !settings_.trackers.empty() || steering_;
  adopt_settings();
  leave_group(old);
  verdicts_.reset();
  if (!event.verdicts.empty()) verdicts_ = event.verdicts;
  if (old.priority != settings_.priority) resumed_priority_ = 0;
  priority_ = reckon_priority();
  set_tracker_faults();
  forget_needless_proofs();
  setback_.reset();  // what the operator changed may be the cure: try at once
  forget_failures();
  set_interface_fault();
  std::visit(Match{[](Init&) {},
                   [&](Backup& backup) { reconfigure_backup(old, old_priority, now, backup); },
                   [&](Master& master) {
                     reconfigure_master(old, now, master, out);
                     const bool is_changed = tracks && old_priority != priority_;
                     if (is_changed && faults_.empty()) advertise_change(now, master, out);
                   },
                   [](Fault&) {}},
             state_);
  if (tracks) tell_priority(old_priority, out);
  const auto* init = std::get_if<Init>(&state_);
  if (init != nullptr && init->waits_for_trackers && !waits_for_trackers()) return begin(now, out);
  reconsider_faults(now, out);
}

// ---- What transitions share. Order is contract: advert, addresses, announcements, notifications.
// ----

void Instance::send_advert(std::uint8_t priority, Instant now, Actions& out) {
  const auto source = source_address() ? source_address() : last_source_;
  if (!source) return;  // there never was an address: nobody can have heard us as master
  const Credentials credentials = next_credentials(now);
  use_up(credentials);
  out.emplace_back(SendAdvert{subject_, priority, credentials.identification,
                              departure(*source, priority, credentials)});
}

std::optional<Departure> Instance::next_departure() const {
  const auto source = source_address();
  if (!source) return std::nullopt;
  return departure(*source, effective_priority(), next_credentials(became_master_at_));
}

Departure Instance::departure(const IpAddress& source, std::uint8_t priority,
                              const Credentials& credentials) const {
  Departure departure{
      .source = source,
      .hop_limit = settings_.unicast ? settings_.unicast->hop_limit : std::uint8_t{255},
      .letters = {},
      .protocol = settings_.has_header() ? kIpProtocolAh : kIpProtocolVrrp,
      .trailer_bytes = settings_.signs() ? kTrailerBytes : 0};
  if (settings_.device && settings_.device->adverts_from == AdvertsFrom::device)
    departure.device = settings_.device->name;
  Advert advert = make_advert(settings_, priority);
  const auto write = [&](const IpAddress& destination, ChecksumForm form) {
    advert.checksum = form;
    Letter& letter = departure.letters.emplace_back(Letter{destination, {}});
    encode_advert(advert, letter.payload, {settings_.version, source, destination});
    authenticate(letter, source, credentials);
  };
  for (const IpAddress& destination : destinations(source)) {
    const FormsInUse forms = forms_in_use(destination);
    write(destination, forms.latest);
    if (forms.other) write(destination, *forms.other);
  }
  return departure;
}

// The same list of peers may be on all directors: who finds itself in it does not talk to itself.
std::vector<IpAddress> Instance::destinations(const IpAddress& source) const {
  if (!settings_.unicast) return {key().channel};
  std::vector<IpAddress> others;
  for (const UnicastPeer& peer : settings_.unicast->peers) {
    if (peer.address != source && !is_own(peer.address)) others.push_back(peer.address);
  }
  return others;
}

void Instance::change_state(State next, std::string why, Instant now, Actions& out) {
  const StateName from = state_name();
  state_ = next;
  since_ = now;
  why_ = std::move(why);
  out.emplace_back(StateChanged{subject_, from, state_name(), why_});
  remember(out);
}

void Instance::remember(Actions& out) const {
  const bool is_master = state_name() == StateName::master;
  const auto* init = std::get_if<Init>(&state_);
  const bool hands_over = init != nullptr && init->handover_until;
  out.emplace_back(Remember{
      .router = subject_,
      .state = state_name(),
      .priority = effective_priority(),
      .since = is_master ? became_master_at_ : since_,
      .last_advert_at = last_advert_at_,
      .silence_allowed = hands_over ? *init->handover_until - last_advert_at_ + kHandoverLate
                                    : silence_allowed(settings_),
      .hands_over = hands_over,
      .checksum = common_form(),
      .proofs = proofs_});
}

FormsInUse Instance::forms_in_use(const IpAddress& destination) const {
  if (settings_.checksum == ChecksumChoice::without_pseudo_header)
    return {ChecksumForm::without_pseudo_header};
  return dialects_ ? forms_towards(*dialects_, destination) : FormsInUse{};
}

std::optional<ChecksumForm> Instance::common_form() const {
  if (!dialects_ || !last_source_) return std::nullopt;
  std::optional<ChecksumForm> common;
  for (const IpAddress& destination : destinations(*last_source_)) {
    const FormsInUse forms = forms_in_use(destination);
    if (forms.other || (common && *common != forms.latest)) return std::nullopt;
    common = forms.latest;
  }
  return common;
}

void Instance::notify(NotifyState state, Actions& out) const {
  out.emplace_back(Notify{subject_, state, effective_priority()});
}

}  // namespace holdfast::vrrp
