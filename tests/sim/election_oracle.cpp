#include "tests/sim/election_oracle.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace holdfast::sim {

using namespace vrrp;
using namespace std::chrono_literals;

namespace {

/// The RFCs' formulas in another arithmetic than the core's; rounding may differ by a microsecond.
constexpr Duration kRounding = 2us;
Duration reference_skew(const InstanceSettings& settings, std::uint8_t priority,
                        Duration interval) {
  const double whole = settings.version == 2 ? 1e6 : static_cast<double>(interval / 1us);
  return Duration(static_cast<std::int64_t>(std::floor((256.0 - priority) / 256.0 * whole)));
}
Duration reference_down(const InstanceSettings& settings, std::uint8_t priority,
                        Duration interval) {
  return 3 * interval + reference_skew(settings, priority, interval);
}

/// From a deadline to the end of the wake-up that serves it.
constexpr Duration kSlack = kLatestWake + 1ms;

bool is_drain(const Wake& wake) {
  return wake.cause == Wake::Cause::timer || wake.cause == Wake::Cause::packets;
}

bool is_about(const Action& action, const core::RouterKey& key) {
  return std::visit(
      [&](const auto& each) {
        if constexpr (requires { each.router; }) {
          return each.router->key == key;
        } else {
          return false;
        }
      },
      action);
}

/// The receive checks, RFC 3768 and RFC 9568 §7.1, and unicast.
bool counts(const Wake::Heard& heard, const InstanceSettings& own,
            const std::optional<core::IpAddress>& source) {
  if (heard.source == source) return false;
  const bool has_password = own.authentication.type == AuthenticationType::simple_password;
  if (own.version == 2 &&
      (heard.advert.interval != own.advert_interval ||
       (has_password && heard.advert.authentication_data != own.authentication.data)))
    return false;
  if (!own.unicast) return heard.hop_limit == 255 && heard.destination.is_multicast();
  const auto& peers = own.unicast->peers;
  return heard.destination == source &&
         (own.unicast->senders == Senders::anybody ||
          std::any_of(peers.begin(), peers.end(),
                      [&](const UnicastPeer& peer) { return peer.address == heard.source; }));
}

}  // namespace

void ElectionOracle::violated(std::string oracle, const View& view,
                              const std::string& sentence) const {
  situation_.violated(
      std::move(oracle),
      fmt::format("{} {}", view.child.machine().name(), view.instance.settings().name), sentence);
}

void ElectionOracle::woke(const Child& child, const Wake& wake) {
  for (auto& [who, model] : models_) {
    if (who.first != &child.machine()) continue;
    if (wake.cause == Wake::Cause::first_commit) model = {};
    if (!wake.first_after_pause) continue;
    Model next;
    next.master = model.master;
    next.forms = std::move(model.forms);
    next.first_form = model.first_form;
    next.is_of_page = model.is_of_page;
    model = std::move(next);
  }
  for (const Instance* instance : child.router().instances()) {
    const auto former = std::find_if(
        wake.before.begin(), wake.before.end(),
        [&](const Wake::Former& each) {  // a new one may have the key of one that leaves
          return each.key == instance->key() && (!each.was_leaving || instance->is_being_removed());
        });
    View view{.child = child,
              .wake = wake,
              .instance = *instance,
              .former = former == wake.before.end() ? nullptr : &*former,
              .before = former == wake.before.end() ? StateName::init : name_of(former->state),
              .model = models_[{&child.machine(), instance->key()}]};
    if (view.former == nullptr) view.model = {};  // one that was removed had the same key
    count_actions(view);
    check_forms(view);
    follow_packets(view);
    check_order(view);
    check_pause(view);
    check_election(view);
    check_rhythm(view);
    check_leaving(view);
  }
}

void ElectionOracle::count_actions(View& view) const {
  for (const Action& action : view.wake.actions) {
    if (!is_about(action, view.instance.key())) continue;
    if (view.first_action == nullptr) view.first_action = &action;
    const auto* advert = std::get_if<SendAdvert>(&action);
    if (advert != nullptr && advert->priority != kResignPriority) ++view.sent;
  }
}

// A partner is answered in the form that it wrote, a group in the one heard last and in that of
// another partner, if that one differs; before, there is a pseudo header. Of those heard in this
// very wake-up it may have been any.
void ElectionOracle::check_forms(View& view) const {
  const InstanceSettings& own = view.instance.settings();
  if (own.version != 3 || own.family != core::Family::v4) return;
  auto& forms = view.model.forms;
  const std::size_t known = forms.size();
  for (const Wake::Resumed& resumed : view.wake.resumed) {
    const bool goes_on = view.instance.state_name() == StateName::master;
    if (resumed.key != view.instance.key() || !goes_on || !resumed.form) continue;
    view.model.first_form = *resumed.form;
    view.model.is_of_page = true;
  }
  for (const Wake::Heard& heard : view.wake.heard) {
    if (heard.key == view.instance.key() && counts(heard, own, view.instance.source_address()))
      forms.emplace_back(heard.source, heard.advert.checksum);
  }
  for (const Action& action : view.wake.actions) {
    const auto* sent = std::get_if<SendAdvert>(&action);
    if (sent == nullptr || !is_about(action, view.instance.key())) continue;
    std::map<core::IpAddress, std::set<ChecksumForm>> written;
    for (const Letter& letter : sent->departure->letters) {
      const auto advert =
          decode_advert(letter.payload, {3, sent->departure->source, letter.destination});
      const bool is_new =
          !advert.has_error() && written[letter.destination].insert(advert->checksum).second;
      if (!is_new) violated("answered in its own form", view, "writes the same twice");
    }
    for (const auto& [destination, found] : written) {
      const bool is_group = destination.is_multicast();
      std::set<ChecksumForm> right{view.model.first_form}, others;
      if (is_group && view.model.is_of_page) others.insert(view.model.first_form);
      for (std::size_t i = 0; i < forms.size(); ++i) {
        if (!is_group && forms[i].first != destination) continue;
        if (i < known) right.clear();  // only the last one of them counts
        right.insert(forms[i].second);
        if (is_group) others.insert(forms[i].second);  // has another partner
      }
      if (own.checksum == ChecksumChoice::without_pseudo_header) {
        right = {ChecksumForm::without_pseudo_header};
        others.clear();
      }
      others.insert(right.begin(), right.end());
      const bool answers = std::any_of(
          right.begin(), right.end(),
          [&forms_seen = found](ChecksumForm form) { return forms_seen.contains(form); });
      if (!answers || !std::includes(others.begin(), others.end(), found.begin(), found.end()))
        violated("answered in its own form", view,
                 "writes to " + destination.to_string() + " with another checksum");
    }
  }
  for (auto each = forms.begin(); each != forms.end();) {  // the last one of each
    const bool is_old = std::any_of(each + 1, forms.end(),
                                    [&](const auto& later) { return later.first == each->first; });
    each = is_old ? forms.erase(each) : each + 1;
  }
}

void ElectionOracle::note_master(Model& model, const Advert& advert) const {
  if (advert.priority != 0) {
    model.master = HeardMaster{situation_.now(), advert.interval, false};
  } else if (model.master) {
    model.master->resigned = true;
  }
}

/// Of a router that begins to listen: its own, or in version 3 that of a master that lives.
Duration ElectionOracle::first_interval(const View& view) const {
  const InstanceSettings& settings = view.instance.settings();
  const auto& master = view.model.master;
  const bool lives = settings.version == 3 && master && !master->resigned &&
                     situation_.now() - master->at < 3 * master->interval;
  return lives ? master->interval : settings.advert_interval;
}

// RFC 3768 and RFC 9568 §6.4.2 and §6.4.3, the parts about received adverts.
void ElectionOracle::follow_packets(View& view) const {
  const InstanceSettings& own = view.instance.settings();
  const Instant now = situation_.now();
  const auto source = view.instance.source_address();
  const std::uint8_t priority = view.instance.effective_priority();  // PriorityOracle's matter
  const bool preempts = own.may_preempt();
  bool master = view.before == StateName::master;
  bool backup = view.before == StateName::backup;
  for (const Wake::Heard& heard : view.wake.heard) {
    if (heard.key != view.instance.key() || !counts(heard, own, source)) continue;
    const Advert& advert = heard.advert;
    note_master(view.model, advert);
    const Duration interval = advert.interval;  // RFC 9568 §6.1; in version 2 it is our own
    const bool better = advert.priority > priority ||
                        (advert.priority == priority && source && heard.source > *source);
    if (master && advert.priority == 0) {
      ++view.zeros;
    } else if (master && better) {
      master = false;
      backup = true;
      view.model.lives_by = interval;
      view.model.down_at = now + reference_down(own, priority, interval);
    } else if (master) {
      ++view.lower;
    } else if (backup && advert.priority == 0) {
      if (view.model.down_at && view.model.lives_by)
        view.model.down_at = std::min(*view.model.down_at,
                                      now + reference_skew(own, priority, *view.model.lives_by));
    } else if (backup && (advert.priority >= priority || !preempts)) {
      view.model.lives_by = interval;
      view.model.down_at = now + reference_down(own, priority, interval);
    } else if (backup && (own.preempt_delay > 0s || view.former->had_setback)) {
      view.model.down_at.reset();  // accepted or not, depending on earlier ones: not modelled
      view.model.lives_by.reset();
    }
  }
  view.master_after_packets = master;
  view.backup_after_packets = backup;
}

void ElectionOracle::check_order(const View& view) const {
  const bool resumed = view.wake.cause == Wake::Cause::first_commit;
  bool spoke = resumed || view.before == StateName::master;
  for (const Action& action : view.wake.actions) {
    if (!is_about(action, view.instance.key())) continue;
    if (const auto* advert = std::get_if<SendAdvert>(&action)) spoke |= advert->priority != 0;
    if (std::holds_alternative<PublishAddresses>(action) && !spoke)
      violated("advert before addresses", view, "publishes its addresses before it has advertised");
  }
  const bool is_master = view.instance.state_name() == StateName::master;
  // One whose advert was refused may have given up in the same wake-up.
  const bool gave_up = view.instance.state_name() == StateName::fault;
  if (view.sent > 0 && !is_master && view.before != StateName::master && !gave_up)
    violated("only masters advertise", view, "advertises without being master");
}

void ElectionOracle::check_pause(const View& view) const {
  const InstanceSettings& settings = view.instance.settings();
  const Duration longest = situation_.routers[situation_.number_of(settings)].interval;
  const Duration certainly_too_long =
      reference_down(settings, view.instance.effective_priority(), longest) + 2 * longest;
  // Who has listened after an earlier pause, and heard nobody, need not do it again.
  const auto* backup = view.former == nullptr ? nullptr : std::get_if<Backup>(&view.former->state);
  if (view.former == nullptr || (backup != nullptr && backup->restarted_after_pause)) return;
  // Nor need who had nothing to do for so long after it went on: nothing came, and it would have
  // heard.
  if (view.wake.awake_for > reference_down(settings, view.instance.effective_priority(), longest))
    return;
  if (view.wake.first_after_pause && view.wake.paused_for > certainly_too_long && view.sent > 0)
    violated("no usurping after a pause", view, "advertises before it has listened");
}

void ElectionOracle::check_election(const View& view) const {
  const Instant now = situation_.now();
  const InstanceSettings& settings = view.instance.settings();
  const StateName after = view.instance.state_name();
  Model& model = view.model;

  for (const Wake::Resumed& resumed : view.wake.resumed) {
    const bool in_time = now - resumed.last_advert_at < resumed.silence_allowed;
    const bool is_alone = settings.sync_group.empty();  // the others may be late
    if (resumed.key == view.instance.key() && in_time && after != StateName::master && is_alone &&
        view.instance.faults().empty())
      violated("a restart within its budget is no failover", view,
               "lost its mastership by a restart");
  }
  if (is_drain(view.wake) && view.before == StateName::master && !view.wake.first_after_pause) {
    const bool may_follow = !settings.sync_group.empty();  // another member
    if (after == StateName::backup && !view.backup_after_packets && !may_follow)
      violated("yields only to a better master", view, "yielded to nobody better");
    if (after == StateName::master && !view.master_after_packets)
      violated("yields to a better master", view, "heard a better master and did not yield");
  }
  // An owner in a group is ready from its start on, and waits only for the others.
  const bool waits_as_owner = !settings.sync_group.empty() && settings.starts_as_master();
  if (is_drain(view.wake) && view.before == StateName::backup && after == StateName::master &&
      model.down_at && now + kRounding < *model.down_at && !waits_as_owner)
    violated("takes over not too early", view,
             fmt::format("became master {} us before its time", (*model.down_at - now) / 1us));
  const std::size_t wire = situation_.routers[situation_.number_of(settings)].wire;
  if (view.before == StateName::backup && after == StateName::master && !model.master &&
      view.child.machine().is_silent(wire))
    violated("a deaf director does not believe that it is alone", view,
             "became master although nothing has been received since the boot");
  // Its time does not come while nothing at all is received, nor within two intervals after that.
  const bool is_deaf = view.instance.is_deaf();
  if (std::exchange(model.was_deaf, is_deaf) && !is_deaf && !model.master && model.down_at)
    model.down_at = std::max(*model.down_at, now + 2 * model.lives_by.value_or(0us));
  const bool is_changed =
      view.former != nullptr && view.former->settings && *view.former->settings != settings;
  const bool lives_by_master = settings.version == 3 && model.master && model.down_at;
  const std::uint8_t priority = view.instance.effective_priority();
  const bool is_weighed = view.former != nullptr && view.former->priority != priority;
  if (after == StateName::backup && is_changed && lives_by_master) {  // only the skew moves
    *model.down_at +=
        reference_down(settings, priority, *model.lives_by) -
        reference_down(*view.former->settings, view.former->priority, *model.lives_by);
    model.down_at = std::max(*model.down_at, now);
  } else if (after == StateName::backup && is_weighed && !is_changed && model.down_at &&
             model.lives_by) {
    *model.down_at += reference_skew(settings, priority, *model.lives_by) -
                      reference_skew(settings, view.former->priority, *model.lives_by);
    model.down_at = std::max(*model.down_at, now);
  } else if (after != StateName::backup || is_changed) {
    model.down_at.reset();
    model.lives_by.reset();
  } else if (view.before == StateName::master && view.master_after_packets &&
             !settings.sync_group.empty() && !view.wake.first_after_pause) {
    // It yielded with its group: a whole down interval.
    model.lives_by = first_interval(view);
    model.down_at = now + reference_down(settings, priority, *model.lives_by);
  }
  const bool fresh = view.before == StateName::fault || view.before == StateName::init;
  if (after == StateName::backup && fresh) {
    model.lives_by = first_interval(view);
    model.down_at = now + reference_down(settings, priority, *model.lives_by);
  }
}

/// Where the reference model leaves the phase to the core it only holds it to one interval.
Instant ElectionOracle::chosen_phase(const View& view) const {
  const Instant now = situation_.now();
  const Instant chosen = std::get<Master>(view.instance.state()).next_advert_at;
  if (chosen <= now || chosen > now + view.instance.settings().advert_interval)
    violated("advert rhythm", view, "plans its next advert outside of one interval");
  return chosen;
}

/// Nobody of its sync group, or it is alone, has been changed by this reload.
bool ElectionOracle::is_group_unchanged(const View& view) const {
  if (view.instance.settings().sync_group.empty()) return true;
  const auto all = view.child.router().instances();
  const bool none_came = std::all_of(all.begin(), all.end(), [&](const Instance* each) {
    return std::any_of(view.wake.before.begin(), view.wake.before.end(),
                       [&](const auto& former) { return former.key == each->key(); });
  });
  return none_came && std::all_of(view.wake.before.begin(), view.wake.before.end(),
                                  [&](const Wake::Former& former) {
                                    const Instance* now = view.child.router().find(former.key);
                                    return now != nullptr && !now->is_being_removed() &&
                                           !former.had_setback && former.settings &&
                                           *former.settings == now->settings();
                                  });
}

void ElectionOracle::check_rhythm(const View& view) const {
  const Instant now = situation_.now();
  const Duration interval = view.instance.settings().advert_interval;
  const bool is_master = view.instance.state_name() == StateName::master;
  Model& model = view.model;
  if (view.wake.cause == Wake::Cause::commit && view.former != nullptr &&
      view.former->settings == view.instance.settings() && !view.former->had_setback &&
      !view.instance.is_being_removed() && view.first_action != nullptr && is_group_unchanged(view))
    violated("an unchanged reload is not noticed", view,
             "did something: " + to_string(*view.first_action));

  // A reload with another interval: the beat that was promised, or an earlier one of the new.
  if (model.next_advert && view.wake.cause == Wake::Cause::commit)
    model.next_advert = std::min(*model.next_advert, now + interval);
  if (!is_master) {
    model.next_advert.reset();
  } else if (view.before != StateName::master) {
    // One that resumes goes on where its predecessor stopped, at once if need be.
    model.next_advert =
        view.sent == 0 ? std::get<Master>(view.instance.state()).next_advert_at : now + interval;
    if (*model.next_advert > now + interval) violated("advert rhythm", view, "pauses");
  } else if (view.former->priority != view.instance.effective_priority()) {
    model.next_advert = chosen_phase(view);  // told at once, at most twice an interval
  } else if (model.next_advert && is_drain(view.wake)) {
    // What was answered a moment ago needs no second answer.
    const bool answers = view.zeros > 0 && now >= model.last_answer + interval / 2;
    const bool due = view.zeros == 0 && *model.next_advert <= now;
    // An advert that told of another priority may have been the answer.
    const bool is_bound = due || view.instance.settings().trackers.empty();
    const unsigned least = (due || answers) && is_bound ? 1 : 0;
    if (view.sent < least || view.sent > least + view.lower + view.zeros)
      violated("advert rhythm", view,
               fmt::format("sent {} adverts where {} were due", view.sent, least));
    if (view.zeros > 0) {
      model.next_advert = chosen_phase(view);  // begun anew with the answer, or not
    } else {
      while (*model.next_advert <= now) *model.next_advert += interval;
    }
  } else if (view.sent > 0 && is_drain(view.wake)) {
    model.next_advert = chosen_phase(view);  // after a pause
  } else if (view.sent > 0 && !view.wake.first_after_pause) {
    violated("advert rhythm", view, "advertises out of turn");
  }
  if (view.sent > 0 && view.zeros + view.lower > 0) model.last_answer = now;
}

void ElectionOracle::check_leaving(const View& view) const {
  // After a pause it may have to give up before it can resign.
  if (!view.wake.is_shutdown || view.before != StateName::master || view.wake.first_after_pause)
    return;
  for (const Action& action : view.wake.actions) {
    const auto* advert = std::get_if<SendAdvert>(&action);
    if (advert != nullptr && is_about(action, view.instance.key()) && advert->priority == 0) return;
  }
  violated("a resign on every orderly exit", view, "stops as master without priority 0");
}

void ElectionOracle::look() {
  const Instant now = situation_.now();
  for (const auto& [who, model] : models_) {
    if (!model.down_at && !model.next_advert) continue;
    const auto& [machine, key] = who;
    if (now <= std::min(model.down_at.value_or(now), model.next_advert.value_or(now)) + kSlack)
      continue;
    const Child* child = machine->child();
    const Instance* instance =
        child != nullptr && child->runs() ? child->router().find(key) : nullptr;
    if (instance == nullptr || instance->is_deaf()) continue;
    const std::string name = fmt::format("{} {}", machine->name(), instance->settings().name);
    if (instance->state_name() == StateName::backup && model.down_at &&
        instance->settings().sync_group.empty() && now > *model.down_at + kSlack)
      situation_.violated("takes over not too late", name, "is still backup after its time");
    if (instance->state_name() == StateName::master && model.next_advert &&
        now > *model.next_advert + kSlack)
      situation_.violated("no advert gap", name, "is master and missed an advert");
  }
}

}  // namespace holdfast::sim
