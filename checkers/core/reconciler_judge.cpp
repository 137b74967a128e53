// What a reading of the kernel's table means, and what is then sent: the second half of Reconciler.
#include "checkers/core/reconciler.hpp"

#include <algorithm>

namespace holdfast::checkers {

namespace {

/// The part of a table that is under these keys.
ipvs::Table part_of(const ipvs::Table& table, const std::set<ipvs::ServiceKey>& keys) {
  ipvs::Table part;
  for (const ipvs::ServiceKey& key : keys)
    if (const auto found = table.services.find(key); found != table.services.end())
      part.services.insert(*found);
  return part;
}

bool is_deletion(const ipvs::Step& step) {
  return std::holds_alternative<ipvs::DeleteService>(step);
}

bool is_creation(const ipvs::Step& step) {
  return std::holds_alternative<ipvs::AddService>(step);
}

}  // namespace

void Reconciler::hold(HeldServers servers) {
  for (const auto& [key, endpoints] : held_) dirty_.insert(key);
  held_ = std::move(servers);
}

ipvs::Service Reconciler::with_held(const ipvs::ServiceKey& key, ipvs::Service wanted) const {
  const auto held = held_.find(key);
  if (held == held_.end()) return wanted;
  const auto present = actual_.services.find(key);
  for (const core::Endpoint& endpoint : held->second) {
    if (wanted.servers.contains(endpoint)) continue;  // it is the sorry server, and serves
    if (present == actual_.services.end()) continue;
    if (const auto found = present->second.servers.find(endpoint);
        found != present->second.servers.end())
      wanted.servers.insert(*found);
  }
  return wanted;
}

ipvs::Table Reconciler::part_of_desired(const ipvs::Table& desired,
                                        const std::set<ipvs::ServiceKey>& keys) const {
  ipvs::Table part = part_of(desired, keys);
  if (!held_.empty())
    for (auto& [key, service] : part.services) service = with_held(key, std::move(service));
  return part;
}

bool Reconciler::differs(const ipvs::ServiceKey& key, const ipvs::Table& desired) const {
  const auto wanted = desired.services.find(key);
  const auto present = actual_.services.find(key);
  if (wanted == desired.services.end()) return present != actual_.services.end();
  if (present == actual_.services.end()) return true;
  if (held_.contains(key)) return present->second != with_held(key, wanted->second);
  return present->second != wanted->second;
}

// A table in one piece can be acted upon at once: nothing can be missing in it. What a longer list
// shows is confirmed service by service.
void Reconciler::take_first_look(const table_event::WasRead& read, const ipvs::Table& desired,
                                 core::Instant now, TableActions& out) {
  own(desired, out);
  dirty_.clear();
  judge_foreign(ipvs::foreign_keys(desired, read.table, owned_), true, now, out);
  actual_ = part_of(read.table, owned_);
  std::set<ipvs::ServiceKey> wrong;
  std::vector<ipvs::ServiceKey> gone;
  for (const ipvs::ServiceKey& key : owned_) {
    if (differs(key, desired))
      wrong.insert(key);
    else if (!desired.services.contains(key))
      gone.push_back(key);
  }
  if (!std::exchange(read_once_, true)) report_adopted(desired, out);

  const core::Duration wait = read.in_one_piece ? core::Duration{} : kConfirmDelay;
  for (const ipvs::ServiceKey& key : wrong) suspect(key, Cause::ourselves, now + wait);
  if (!read.in_one_piece) {
    for (const ipvs::ServiceKey& key : gone) suspect(key, Cause::ourselves, now + wait);
    return;
  }
  disown(gone, out);
  if (!wrong.empty()) repair(wrong, desired, now, out);
}

void Reconciler::take_others(const ipvs::Table& table, const ipvs::Table& desired,
                             TableActions& out) {
  if (std::exchange(others_, Others::stay) == Others::stay) return;
  const ipvs::OwnedKeys others = ipvs::foreign_keys(desired, table, owned_);
  if (others.empty()) return;
  owned_.insert(others.begin(), others.end());
  out.push_back(table_action::ReportFlushed{others});
  out.push_back(table_action::SaveOwned{owned_});
}

void Reconciler::report_adopted(const ipvs::Table& desired, TableActions& out) const {
  const auto is_wanted = [&](const auto& entry) { return desired.services.contains(entry.first); };
  const auto found = std::ranges::count_if(actual_.services, is_wanted);
  if (found != 0)
    out.push_back(table_action::ReportAdopted{
        static_cast<std::size_t>(found),
        ipvs::plan(part_of_desired(desired, owned_), actual_, owned_).size()});
}

void Reconciler::judge_whole(const ipvs::Table& table, const ipvs::Table& desired,
                             core::Instant now, TableActions& out) {
  judge_foreign(ipvs::foreign_keys(desired, table, owned_), false, now, out);
  actual_ = part_of(table, owned_);
  judge({owned_.begin(), owned_.end()}, desired, now, out);
}

// The list may have lost services, and says nothing of servers: it only raises suspicions.
void Reconciler::judge_list(const ipvs::ServiceList& list, const ipvs::Table& desired,
                            core::Instant now, TableActions& out) {
  ipvs::OwnedKeys foreign;
  for (const auto& [key, settings] : list.services) {
    if (desired.services.contains(key)) continue;
    if (owned_.contains(key))
      suspect(key, Cause::others, now + kConfirmDelay);
    else
      foreign.insert(foreign.end(), key);
  }
  for (const auto& [key, service] : desired.services) {
    const auto listed = list.services.find(key);
    if (listed == list.services.end() || listed->second != service.settings)
      suspect(key, Cause::others, now + kConfirmDelay);
  }
  judge_foreign(std::move(foreign), list.in_one_piece, now, out);
}

// Services of others are only told about; still, a list that lost some is not worth a message.
void Reconciler::judge_foreign(ipvs::OwnedKeys seen, bool certain, core::Instant now,
                               TableActions& out) {
  if (seen == foreign_) return foreign_seen_.reset();
  if (!certain && foreign_seen_ != seen) {
    foreign_seen_ = std::move(seen);
    list_at_ = now + kConfirmDelay;
    return;
  }
  foreign_seen_.reset();
  out.push_back(table_action::ReportForeign{seen});
  foreign_ = std::move(seen);
}

void Reconciler::suspect(const ipvs::ServiceKey& key, Cause cause, core::Instant look_at) {
  if (dirty_.contains(key)) return;  // its turn comes anyhow
  watched_.try_emplace(key, Watch{.look_at = look_at, .cause = cause});
}

void Reconciler::judge(const std::vector<ipvs::ServiceKey>& keys, const ipvs::Table& desired,
                       core::Instant now, TableActions& out) {
  std::vector<ipvs::ServiceKey> gone;
  std::set<ipvs::ServiceKey> wrong;
  std::set<ipvs::ServiceKey> stubborn;
  for (const ipvs::ServiceKey& key : keys) {
    if (dirty_.contains(key)) continue;
    if (!differs(key, desired)) {
      watched_.erase(key);
      if (!desired.services.contains(key)) gone.push_back(key);
      continue;
    }
    const auto found = watched_.find(key);
    if (found == watched_.end()) {
      suspect(key, Cause::others, now + kConfirmDelay);
    } else if (Watch& watch = found->second; watch.look_at <= now) {
      if (is_time_to_repair(watch, now))
        wrong.insert(key);
      else if (watch.stage == Watch::Stage::paused && !std::exchange(watch.said, true))
        stubborn.insert(key);
    }
  }
  disown(gone, out);
  if (!stubborn.empty())
    out.push_back(table_action::ReportStubborn{differences(stubborn, desired)});
  if (!wrong.empty()) repair(wrong, desired, now, out);
}

// Of a service that is due and was just seen to differ.
bool Reconciler::is_time_to_repair(Watch& watch, core::Instant now) {
  switch (watch.stage) {
    case Watch::Stage::read_back:
      watch.stage = Watch::Stage::confirm;
      watch.look_at = now + kConfirmDelay;
      return false;
    case Watch::Stage::confirm:
      if (!watch.differs_since) watch.differs_since = now;
      if (watch.rounds < kMaxRounds) return true;
      pause(watch, now);
      return false;
    case Watch::Stage::paused:
      return true;
  }
  return false;
}

void Reconciler::pause(Watch& watch, core::Instant now) {
  watch.stage = Watch::Stage::paused;
  watch.look_at = now + watch.pause;
  watch.pause = std::min(2 * watch.pause, core::Duration(kLongestPause));
}

void Reconciler::repair(const std::set<ipvs::ServiceKey>& keys, const ipvs::Table& desired,
                        core::Instant now, TableActions& out) {
  std::set<ipvs::ServiceKey> drifted;
  for (const ipvs::ServiceKey& key : keys) {
    Watch& watch = watched_.at(key);
    if (watch.rounds++ == 0 && watch.cause == Cause::others) drifted.insert(key);
  }
  if (!drifted.empty()) {
    auto sentences = differences(drifted, desired);
    drift_ += sentences.size();
    last_drift_ = now;
    out.push_back(table_action::ReportDrift{std::move(sentences)});
  }
  apply(ipvs::plan(part_of_desired(desired, keys), part_of(actual_, keys), owned_), true, out);
}

std::vector<std::string> Reconciler::differences(const std::set<ipvs::ServiceKey>& keys,
                                                 const ipvs::Table& desired) const {
  std::vector<std::string> sentences;
  for (const auto& one : ipvs::diff(part_of_desired(desired, keys), part_of(actual_, keys)))
    sentences.push_back(ipvs::to_string(one));
  return sentences;
}

std::optional<Differing> Reconciler::differing(const ipvs::Table& desired) const {
  std::set<ipvs::ServiceKey> keys;
  Differing found{.since = core::Instant::max()};
  for (const auto& [key, watch] : watched_) {
    if (!watch.differs_since || !differs(key, desired)) continue;
    keys.insert(key);
    found.since = std::min(found.since, *watch.differs_since);
  }
  if (keys.empty()) return std::nullopt;
  found.sentences = differences(keys, desired);
  return found;
}

// From what we believe, without looking first: a change is sent at once.
void Reconciler::reconcile_dirty(const ipvs::Table& desired, core::Instant now, TableActions& out) {
  std::set<ipvs::ServiceKey> keys = std::exchange(dirty_, {});
  const ipvs::Table wanted = part_of_desired(desired, keys);
  own(wanted, out);
  for (auto key = keys.begin(); key != keys.end();) {
    if (const auto watch = watched_.find(*key); watch != watched_.end()) {
      // A look that is due already is not put off by further changes.
      const bool is_due = watch->second.stage == Watch::Stage::read_back;
      const core::Instant look_at = is_due ? watch->second.look_at : now + kReadBackDelay;
      watch->second = {Watch::Stage::read_back, look_at, Cause::ourselves};
    }
    const bool others = foreign_.erase(*key) != 0;  // of which we do not know what is in it
    if (others) suspect(*key, Cause::ourselves, now);
    key = others ? keys.erase(key) : std::next(key);
  }
  ipvs::Plan steps = ipvs::plan(part_of(wanted, keys), part_of(actual_, keys), owned_);
  if (!steps.empty()) apply(std::move(steps), false, out);
}

void Reconciler::apply(ipvs::Plan steps, bool after_looking, TableActions& out) {
  const auto deletions = static_cast<std::size_t>(std::ranges::count_if(steps, is_deletion));
  const bool is_the_end = deletions >= actual_.services.size() && deletions != 0 &&
                          std::ranges::none_of(steps, is_creation);
  if (is_the_end && steps.size() > 1) {  // a plan ends with its deletions
    last_deletion_ = std::move(steps.back());
    steps.pop_back();
  }
  steps_ = std::move(steps);
  after_looking_ = after_looking;
  phase_ = Phase::applying;
  wake_at_.reset();
  out.push_back(table_action::Apply{steps_});
}

// After the rest, in which the service may have become wanted again.
void Reconciler::delete_last_service(const ipvs::Table& desired, core::Instant now,
                                     TableActions& out) {
  const ipvs::Step step = *std::exchange(last_deletion_, std::nullopt);
  if (removing_ || !desired.services.contains(ipvs::key_of(step)))
    return apply({step}, after_looking_, out);
  phase_ = Phase::idle;
  go_on(desired, now, out);
}

// A refusal of a change that was sent without looking means that the table is not what we thought:
// it is read soon. After looking, the same would be refused again: no hurry.
void Reconciler::watch_what_was_touched(const std::set<std::size_t>& refused, core::Instant now) {
  std::set<ipvs::ServiceKey> not_done;
  for (const std::size_t index : refused) not_done.insert(ipvs::key_of(steps_[index]));
  std::set<ipvs::ServiceKey> touched;
  for (const ipvs::Step& step : steps_) touched.insert(ipvs::key_of(step));
  for (const ipvs::ServiceKey& key : touched) {
    const auto [place, is_new] =
        watched_.try_emplace(key, Watch{.look_at = now, .cause = Cause::ourselves});
    Watch& watch = place->second;
    if (after_looking_ && not_done.contains(key)) {
      if (!watch.differs_since) watch.differs_since = now;
      pause(watch, now);
      continue;
    }
    const bool shares_a_look = !is_new && watch.stage == Watch::Stage::read_back;
    if (!shares_a_look) watch.look_at = now + kReadBackDelay;
    watch.stage = Watch::Stage::read_back;
    watch.refusal.clear();
  }
}

void Reconciler::report_failures(const table_event::Applied& applied, TableActions& out) {
  // A service that could not be made takes the steps about its servers along: one message is
  // enough. So it is for a kernel that refuses everything.
  std::set<ipvs::ServiceKey> services;
  std::set<std::string> said;
  for (const auto& failure : applied.failures) {
    const ipvs::ServiceKey& key = ipvs::key_of(steps_[failure.index]);
    if (!services.insert(key).second) continue;
    std::string& former = watched_.at(key).refusal;
    if (former != failure.sentence && said.insert(failure.sentence).second)
      out.push_back(table_action::ReportFailedStep{failure.sentence});
    former = failure.sentence;
  }
}

void Reconciler::own(const ipvs::Table& desired, TableActions& out) {
  const std::size_t before = owned_.size();
  for (const auto& [key, service] : desired.services) owned_.insert(key);
  if (owned_.size() != before) out.push_back(table_action::SaveOwned{owned_});
}

void Reconciler::disown(const std::vector<ipvs::ServiceKey>& keys, TableActions& out) {
  std::size_t gone = 0;
  for (const ipvs::ServiceKey& key : keys) gone += owned_.erase(key);
  if (gone != 0) out.push_back(table_action::SaveOwned{owned_});
}

// All that are ours, whatever we believe to be there: what is missing counts as removed.
void Reconciler::remove_ours(TableActions& out) {
  if (others_ == Others::go) return read_all(out);
  removing_ = true;
  ipvs::Plan steps;
  for (const ipvs::ServiceKey& key : owned_) steps.push_back(ipvs::DeleteService{key});
  if (steps.empty()) return finish(out);
  apply(std::move(steps), true, out);
}

// What the kernel would not let go stays ours.
void Reconciler::forget_what_was_removed(const std::set<std::size_t>& refused, TableActions& out) {
  std::vector<ipvs::ServiceKey> removed;
  for (std::size_t i = 0; i < steps_.size(); ++i)
    if (!refused.contains(i)) removed.push_back(ipvs::key_of(steps_[i]));
  disown(removed, out);
}

}  // namespace holdfast::checkers
