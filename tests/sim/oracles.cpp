#include "tests/sim/oracles.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace holdfast::sim {

using namespace vrrp;
using namespace std::chrono_literals;

namespace {

/// The RFC's formula in another arithmetic than the core's; rounding may differ by a microsecond.
constexpr Duration kRounding = 2us;
Duration reference_skew(int priority) {
  return Duration(static_cast<std::int64_t>(std::floor((256.0 - priority) / 256.0 * 1e6)));
}
Duration reference_down(const InstanceSettings& settings) {
  return 3 * settings.advert_interval + reference_skew(settings.priority);
}

/// From a deadline to the end of the wake-up that serves it.
constexpr Duration kSlack = kLatestWake + 1ms;

unsigned adverts_sent(const Wake& wake) {
  return static_cast<unsigned>(
      std::count_if(wake.actions.begin(), wake.actions.end(), [](const Action& action) {
        const auto* advert = std::get_if<SendAdvert>(&action);
        return advert != nullptr && advert->priority != 0;
      }));
}

template <class T>
bool has(const Wake& wake) {
  return std::any_of(wake.actions.begin(), wake.actions.end(),
                     [](const Action& action) { return std::holds_alternative<T>(action); });
}

bool is_drain(const Wake& wake) {
  return wake.cause == Wake::Cause::timer || wake.cause == Wake::Cause::packets;
}

}  // namespace

void Oracles::violated(std::string oracle, const Host& host, std::string sentence) {
  throw Violation{std::move(oracle), host.world().now(), host.name() + " " + std::move(sentence)};
}

void Oracles::woke(Host& host, const Wake& wake) {
  Model& model = models_[&host];
  if (wake.first_after_pause) {
    model.down_at.reset();
    model.next_advert.reset();
  }
  check_addresses(host);
  check_order(host, wake);
  check_pause(host, wake);
  const Verdict verdict = follow_packets(host, wake, model);
  check_election(host, wake, verdict, model);
  check_rhythm(host, wake, verdict, model);
  check_leaving(host, wake, model);
  model.last_state = host.instance().state_name();
}

// RFC 3768 §6.4.2 and §6.4.3, the parts about received adverts.
Oracles::Verdict Oracles::follow_packets(const Host& host, const Wake& wake, Model& model) const {
  const InstanceSettings& own = host.settings();
  const Instant now = host.world().now();
  Verdict verdict;
  const bool preempts = own.preempt == Preempt::yes || own.priority == 255;  // RFC 3768 §6.1
  bool master = wake.before == StateName::master;
  bool backup = wake.before == StateName::backup;
  for (const auto& [source, advert] : wake.heard) {
    const bool better = advert.priority > own.priority ||
                        (advert.priority == own.priority && source > host.address());
    if (master && advert.priority == 0) {
      ++verdict.zeros;
    } else if (master && better) {
      master = false;
      backup = true;
      model.down_at = now + reference_down(own);
    } else if (master) {
      ++verdict.lower;
    } else if (backup && advert.priority == 0) {
      const Instant skewed = now + reference_skew(own.priority);
      model.down_at = model.down_at ? std::min(*model.down_at, skewed) : skewed;
    } else if (backup && (advert.priority >= own.priority || !preempts)) {
      model.down_at = now + reference_down(own);
    } else if (backup && own.preempt_delay > 0s) {
      model.down_at.reset();  // accepted or not, depending on when the first one came: not modelled
    }
  }
  verdict.master_after_packets = master;
  verdict.backup_after_packets = backup;
  return verdict;
}

void Oracles::check_addresses(const Host& host) const {
  const auto& state = host.instance().state();
  const Init* init = std::get_if<Init>(&state);
  const bool handing_over = init != nullptr && init->handover_until && host.is_stopping();
  if (host.kernel_holds_addresses() != (host.is_master() || handing_over)) {
    violated("addresses held iff master", host,
             fmt::format("is {} and {} its addresses", to_string(host.instance().state_name()),
                         host.kernel_holds_addresses() ? "holds" : "does not hold"));
  }
}

void Oracles::check_order(const Host& host, const Wake& wake) const {
  bool spoke = wake.cause == Wake::Cause::resume || wake.before == StateName::master;
  bool published = spoke;
  for (const Action& action : wake.actions) {
    if (const auto* advert = std::get_if<SendAdvert>(&action)) spoke |= advert->priority != 0;
    if (std::holds_alternative<PublishAddresses>(action)) {
      if (!spoke)
        violated("advert before addresses", host,
                 "publishes its addresses before it has advertised");
      published = true;
    }
    if (std::holds_alternative<Announce>(action) && !published) {
      violated("addresses before announcements", host, "announces addresses that it does not hold");
    }
  }
  if (adverts_sent(wake) > 0 && !host.is_master() && wake.before != StateName::master) {
    violated("only masters advertise", host, "advertises without being master");
  }
}

void Oracles::check_pause(const Host& host, const Wake& wake) const {
  const Duration certainly_too_long =
      reference_down(host.settings()) + 2 * host.settings().advert_interval;
  if (wake.first_after_pause && wake.paused_for > certainly_too_long && adverts_sent(wake) > 0) {
    violated("no usurping after a pause", host, "advertises before it has listened");
  }
}

void Oracles::check_election(const Host& host, const Wake& wake, const Verdict& verdict,
                             Model& model) const {
  const Instant now = host.world().now();
  const StateName after = host.instance().state_name();
  const bool begins = wake.cause == Wake::Cause::start || wake.cause == Wake::Cause::resume;

  if (wake.had_page && host.link_is_up() && model.last_state == StateName::master &&
      now - model.last_advert < 3 * host.settings().advert_interval && after != StateName::master) {
    violated("a restart within its budget is no failover", host,
             "lost its mastership by a restart");
  }
  if (is_drain(wake) && wake.before == StateName::master && !wake.first_after_pause) {
    if (after == StateName::backup && !verdict.backup_after_packets) {
      violated("yields only to a better master", host, "yielded to nobody better");
    }
    if (after == StateName::master && !verdict.master_after_packets) {
      violated("yields to a better master", host, "heard a better master and did not yield");
    }
  }
  if (is_drain(wake) && wake.before == StateName::backup && after == StateName::master &&
      model.down_at && now + kRounding < *model.down_at) {
    violated("takes over not too early", host,
             fmt::format("became master {} us before its time", (*model.down_at - now) / 1us));
  }
  if (after != StateName::backup || wake.cause == Wake::Cause::reload_changed)
    model.down_at.reset();
  const bool fresh = begins || wake.before == StateName::fault || wake.before == StateName::init;
  if (after == StateName::backup && fresh) model.down_at = now + reference_down(host.settings());
}

/// Where the reference model leaves the phase to the core it only holds it to one interval.
Instant Oracles::chosen_phase(const Host& host) {
  const Instant now = host.world().now();
  const Instant chosen = std::get<Master>(host.instance().state()).next_advert_at;
  if (chosen <= now || chosen > now + host.settings().advert_interval)
    violated("advert rhythm", host, "plans its next advert outside of one interval");
  return chosen;
}

void Oracles::check_rhythm(const Host& host, const Wake& wake, const Verdict& verdict,
                           Model& model) const {
  const Instant now = host.world().now();
  const Duration interval = host.settings().advert_interval;
  const unsigned sent = adverts_sent(wake);
  if (wake.cause == Wake::Cause::reload_same && !wake.actions.empty()) {
    violated("an unchanged reload is not noticed", host,
             "did something: " + to_string(wake.actions.front()));
  }

  if (!host.is_master()) {
    model.next_advert.reset();
  } else if (wake.before != StateName::master) {
    const bool resumed = wake.cause == Wake::Cause::resume && sent == 0;
    model.next_advert = resumed ? std::max(now, model.last_advert + interval) : now + interval;
  } else if (model.next_advert && is_drain(wake)) {
    // What was answered a moment ago needs no second answer.
    const bool answers = verdict.zeros > 0 && now >= model.last_answer + interval / 2;
    const bool due = verdict.zeros == 0 && *model.next_advert <= now;
    const unsigned least = due || answers ? 1 : 0;
    if (sent < least || sent > least + verdict.lower + verdict.zeros) {
      violated("advert rhythm", host,
               fmt::format("sent {} adverts where {} were due", sent, least));
    }
    if (verdict.zeros > 0) {
      model.next_advert = chosen_phase(host);  // begun anew with the answer, or not
    } else {
      while (*model.next_advert <= now) *model.next_advert += interval;
    }
  } else if (sent > 0 && is_drain(wake)) {
    model.next_advert = chosen_phase(host);  // after a pause
  } else if (sent > 0) {
    violated("advert rhythm", host, "advertises out of turn");
  }
  if (sent > 0) model.last_advert = now;
  if (sent > 0 && verdict.zeros + verdict.lower > 0) model.last_answer = now;
}

void Oracles::check_leaving(const Host& host, const Wake& wake, Model& model) const {
  const Instant now = host.world().now();
  if (wake.cause == Wake::Cause::start || wake.cause == Wake::Cause::resume)
    model.shutdown_at.reset();
  const bool calm = troubles_ == 0 && now - std::max(last_trouble_, last_change_) > settle_bound;
  if (wake.cause == Wake::Cause::shutdown) {
    model.shutdown_at = now;
    model.stopped_in_calm = calm;
    model.handing_over = wake.before == StateName::master;
    const auto* resign =
        wake.actions.empty() ? nullptr : std::get_if<SendAdvert>(&wake.actions.front());
    if (model.handing_over && (resign == nullptr || resign->priority != 0)) {
      violated("a resign on every orderly exit", host, "stops as master without priority 0");
    }
  }
  if (!has<Stopped>(wake)) return;
  const bool still_calm =
      model.stopped_in_calm && troubles_ == 0 && last_trouble_ < model.shutdown_at;
  const auto others = [&](auto&& condition) {
    return std::any_of(hosts_.begin(), hosts_.end(),
                       [&](const Host* other) { return other != &host && condition(*other); });
  };
  if (std::exchange(model.handing_over, false) && still_calm && others([&](const Host& other) {
        return is_eligible(other) && other.instance().since() < model.shutdown_at;
      }) &&
      !others([](const Host& other) { return other.kernel_holds_addresses(); })) {
    violated("make before break", host, "let go of its addresses before the successor had them");
  }
  model.shutdown_at.reset();
}

bool Oracles::is_eligible(const Host& host) const {
  return host.is_running() && !host.is_stopping() && !host.is_paused() && host.link_is_up();
}

void Oracles::look(Instant now) {
  for (const Host* host : hosts_) {
    if (!host->is_running() || host->is_paused()) continue;
    const Model& model = models_[host];
    if (host->instance().state_name() == StateName::backup && model.down_at &&
        now > *model.down_at + kSlack) {
      violated("takes over not too late", *host, "is still backup after its time");
    }
    if (host->is_master() && model.next_advert && now > *model.next_advert + kSlack) {
      violated("no advert gap", *host, "is master and missed an advert");
    }
    if (model.shutdown_at &&
        now > *model.shutdown_at + 2 * host->settings().advert_interval + kSlack) {
      violated("stops in bounded time", *host, "has not stopped yet");
    }
  }
  if (troubles_ == 0 && now - std::max(last_trouble_, last_change_) > settle_bound)
    check_settled(now);
}

void Oracles::check_settled(Instant now) const {
  const Host* master = nullptr;
  for (const Host* host : hosts_) {
    if (!host->is_master() || !is_eligible(*host)) continue;
    if (master != nullptr)
      violated("exactly one master", *host, "and " + master->name() + " are both master");
    master = host;
  }
  for (const Host* host : hosts_) {
    if (!is_eligible(*host)) continue;
    if (master == nullptr) violated("exactly one master", *host, "could be master, but nobody is");
    if (host->settings().may_preempt() && host->settings().priority > master->settings().priority) {
      violated("the best eligible master", *host, "should have preempted " + master->name());
    }
  }
  std::ignore = now;
}

}  // namespace holdfast::sim
