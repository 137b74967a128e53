#include "checkers/core/synchroniser.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace holdfast::checkers {
namespace {

using ipvs::SyncRole;
using ipvs::Timeouts;

/// Each of them: `wish` where there is one, else the kernel's own where we changed it.
Timeouts wanted_timeouts(const Timeouts& wish, const Timeouts& set_before) {
  const auto one = [](std::uint32_t wished, std::uint32_t before, std::uint32_t standard) {
    return wished != 0 ? wished : before != 0 ? standard : 0;
  };
  return {one(wish.tcp, set_before.tcp, ipvs::kKernelTimeouts.tcp),
          one(wish.tcp_fin, set_before.tcp_fin, ipvs::kKernelTimeouts.tcp_fin),
          one(wish.udp, set_before.udp, ipvs::kKernelTimeouts.udp)};
}

/// Those that are to be set.
Timeouts differing(const Timeouts& wanted, const Timeouts& actual) {
  const auto one = [](std::uint32_t wish, std::uint32_t is) { return wish == is ? 0 : wish; };
  return {one(wanted.tcp, actual.tcp), one(wanted.tcp_fin, actual.tcp_fin),
          one(wanted.udp, actual.udp)};
}

/// Those of `before` that `wish` does not have any more, and those that were waiting for that.
Timeouts given_up(const Timeouts& before, const Timeouts& wish, const Timeouts& waiting) {
  const auto one = [](std::uint32_t was, std::uint32_t is, std::uint32_t waits) {
    return is != 0 ? 0 : std::max(was, waits);
  };
  return {one(before.tcp, wish.tcp, waiting.tcp),
          one(before.tcp_fin, wish.tcp_fin, waiting.tcp_fin),
          one(before.udp, wish.udp, waiting.udp)};
}

}  // namespace

void Synchroniser::step(const SyncEvent& event, core::Instant now, SyncActions& out) {
  if (phase_ == Phase::finished) return;
  std::visit([&](const auto& happened) { on_event(happened, now, out); }, event);
  go_on(now, out);
}

ipvs::SyncDaemons Synchroniser::wanted(core::Instant now) const {
  ipvs::SyncDaemons roles;
  if (!settings_) return roles;
  const ipvs::SyncDaemon& daemon = settings_->daemon;
  if (!stopping_) {
    const bool both = settings_->instance.empty();
    const bool here = held_.value_or(false);
    if (both || here) roles.emplace(SyncRole::master, daemon);
    if (both || !here) roles.emplace(SyncRole::backup, daemon);
  }
  for (const auto& [role, end] : ends_at_)
    if (now < end && daemons_.contains(role)) roles.emplace(role, daemon);
  return roles;
}

void Synchroniser::changed(core::Instant now) {
  by_ourselves_ = true;
  attempts_ = 0;
  look_at_ = now;
}

void Synchroniser::end_later(SyncRole role, core::Instant now) {
  if (daemons_.contains(role)) ends_at_[role] = now + kHandOver;
}

void Synchroniser::on_event(const sync_event::Configured& configured, core::Instant now,
                            SyncActions&) {
  if (configured.sync == settings_ && configured.timeouts == timeouts_) return;
  leaves_daemons_ = leaves_daemons_ || (settings_ && !configured.sync);
  if (settings_ && configured.sync &&
      settings_->daemon.max_length != configured.sync->daemon.max_length)
    restart_ = true;
  set_before_ = given_up(timeouts_, configured.timeouts, set_before_);
  settings_ = configured.sync;
  timeouts_ = configured.timeouts;
  ends_at_.clear();
  changed(now);
}

void Synchroniser::on_event(const sync_event::Held& held, core::Instant now, SyncActions&) {
  const bool first = !held_;
  if (std::exchange(held_, held.here) == held.here) return;
  changed(now);
  ends_at_.clear();
  if (!first) end_later(held.here ? SyncRole::backup : SyncRole::master, now);
}

void Synchroniser::on_event(const sync_event::Tick&, core::Instant, SyncActions&) {}

void Synchroniser::on_event(const sync_event::Stopping& stopping, core::Instant now,
                            SyncActions& out) {
  if (stopping.keep || !is_concerned()) {
    phase_ = Phase::finished;
    wake_at_.reset();
    out.push_back(sync_action::Finished{});
    return;
  }
  const bool sends = wanted(now).contains(SyncRole::master) && !ends_at_.contains(SyncRole::master);
  stopping_ = true;
  if (sends) end_later(SyncRole::master, now);
  ends_at_.erase(SyncRole::backup);
  set_before_ = given_up(timeouts_, {}, set_before_);
  timeouts_ = {};
  changed(now);
}

std::vector<ipvs::SyncCommand> Synchroniser::missing(const sync_event::WasRead& read,
                                                     core::Instant now) const {
  std::vector<ipvs::SyncCommand> commands;
  if (owns_daemons()) commands = ipvs::commands_for(read.daemons, wanted(now));
  if (restart_ && commands.empty()) {
    for (const auto& [role, daemon] : wanted(now)) {
      commands.emplace_back(ipvs::StopSync{role});
      commands.emplace_back(ipvs::StartSync{role, daemon});
    }
  }
  const Timeouts set = differing(wanted_timeouts(timeouts_, set_before_), read.timeouts);
  if (!set.is_empty()) commands.emplace_back(ipvs::SetTimeouts{set});
  return commands;
}

void Synchroniser::on_event(const sync_event::WasRead& read, core::Instant now, SyncActions& out) {
  phase_ = Phase::idle;
  daemons_ = read.daemons;
  const std::vector<ipvs::SyncCommand> commands = missing(read, now);
  if (commands.empty()) return settle(now, out);
  if (!by_ourselves_) {
    ++drift_;
    out.push_back(sync_action::ReportDrift{commands});
    by_ourselves_ = true;
  }
  ++attempts_;
  restart_ = false;
  phase_ = Phase::commanding;
  out.push_back(sync_action::Command{commands});
}

void Synchroniser::settle(core::Instant now, SyncActions& out) {
  by_ourselves_ = false;
  attempts_ = 0;
  set_before_ = {};
  leaves_daemons_ = false;
  look_at_ = now + kSyncLookInterval;
  report(std::nullopt, out);
  if (settings_ && reported_ != daemons_) {
    reported_ = daemons_;
    out.push_back(sync_action::ReportRoles{daemons_});
  }
}

void Synchroniser::on_event(const sync_event::ReadFailed& failed, core::Instant now,
                            SyncActions& out) {
  phase_ = Phase::idle;
  report(failed.sentence, out);
  ++attempts_;
  pause(now);
  if (stopping_) ends_at_.clear();
}

void Synchroniser::on_event(const sync_event::Commanded& commanded, core::Instant now,
                            SyncActions& out) {
  phase_ = Phase::idle;
  if (commanded.refusals.empty() && attempts_ <= 2) {
    look_at_ = now + kSyncReadBack;
  } else {
    pause(now);
  }
  if (!commanded.refusals.empty())
    report(fmt::format("{}", fmt::join(commanded.refusals, "; ")), out);
}

void Synchroniser::pause(core::Instant now) {
  const unsigned doublings = std::min(attempts_, 6U) - std::min(attempts_, 1U);
  look_at_ = now + std::min(kFirstSyncPause * (1U << doublings), kLongestSyncPause);
}

void Synchroniser::report(std::optional<std::string> sentence, SyncActions& out) {
  if (trouble_ == sentence) return;
  trouble_ = std::move(sentence);
  out.push_back(sync_action::ReportTrouble{trouble_});
}

void Synchroniser::go_on(core::Instant now, SyncActions& out) {
  if (phase_ != Phase::idle) {
    wake_at_.reset();
    return;
  }
  if (std::erase_if(ends_at_, [&](const auto& one) { return now >= one.second; }) != 0)
    changed(now);
  // At a stop the last thing is one attempt at nothing, whatever becomes of it.
  if (stopping_ && ends_at_.empty() && (attempts_ != 0 || !by_ourselves_)) {
    phase_ = Phase::finished;
    wake_at_.reset();
    out.push_back(sync_action::Finished{});
    return;
  }
  if (!is_concerned()) {
    wake_at_.reset();
    return;
  }
  if (now >= look_at_) {
    phase_ = Phase::reading;
    wake_at_.reset();
    out.push_back(sync_action::Read{});
    return;
  }
  wake_at_ = look_at_;
  for (const auto& [role, end] : ends_at_) wake_at_ = std::min(*wake_at_, end);
}

}  // namespace holdfast::checkers
