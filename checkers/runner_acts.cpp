// What the engine has decided is done here: probes, scripts, letters, the log and the page.
#include "checkers/core/identity.hpp"
#include "checkers/messages.hpp"
#include "checkers/runner.hpp"
#include "runtime/clock.hpp"

#include <algorithm>
#include <set>

namespace holdfast::checkers {
namespace {

/// A reason without its numbers.
std::string kind_of(std::string reason) {
  std::erase_if(reason, [](char letter) { return letter >= '0' && letter <= '9'; });
  return reason;
}

}  // namespace

void Runner::act(const StartProbe& start) {
  ++counters_.probes_started;
  probes_.start(start.probe, start.lane, engine_.probe_settings(start.probe));
}

void Runner::act(const StopProbe& stop) {
  probes_.stop(stop.probe);
}

void Runner::act(const CheckChanged& changed) {
  logger_.log(changed.up ? messages::kCheckUp : messages::kCheckDown, "{}: {}: {}",
              check_name(changed.service, changed.server, changed.check),
              changed.up ? "succeeds" : "failed", changed.why);
}

void Runner::act(const CheckTroubled& troubled) {
  const std::string name = check_name(troubled.service, troubled.server, troubled.check);
  const auto& last = engine_.last_run(
      engine_.services()[troubled.service].servers[troubled.server].checks[troubled.check].probe);
  if (last && last->outcome.result == Result::not_tried) {
    if (const auto held_back = not_tried_.admit(kind_of(troubled.why), runtime::now()))
      logger_.log(messages::kCheckNotTried, "{}: not tried: {}{}", name, troubled.why,
                  *held_back == 0 ? ""
                                  : fmt::format(" ({} more like this, of whatever check, since the "
                                                "last line)",
                                                *held_back));
    return;
  }
  const CheckSettings& check =
      engine_.settings().services[troubled.service].servers[troubled.server].checks[troubled.check];
  std::optional<std::uint64_t> held_back = 0;
  if (check.logs_all_failures) held_back = failures_.admit(runtime::now());
  const bool is_told = check.logs_all_failures && held_back;
  logger_.log(
      is_told ? messages::kCheckFailure : messages::kCheckRetry,
      "{}: failure {}, {} retries granted: {}{}", name, troubled.failures_in_row, check.pace.retry,
      troubled.why,
      !is_told || *held_back == 0
          ? ""
          : fmt::format(" ({} more failures, of whatever check, since the last line)", *held_back));
}

void Runner::act(const ServerChanged& changed) {
  last_why_ = changed.why;
  ++counters_.server_transitions;
  logger_.log(changed.up ? messages::kServerUp : messages::kServerDown, "{} is {}: {}",
              server_name(changed.service, changed.server), changed.up ? "up" : "down",
              changed.why);
}

void Runner::act(const WeightChanged& changed) {
  logger_.log(messages::kServerWeight, "{} has weight {} instead of {}: {}",
              server_name(changed.service, changed.server), changed.now, changed.before,
              changed.why);
}

void Runner::act(const QuorumChanged& changed) {
  ++counters_.quorum_transitions;
  const ServiceSettings& service = engine_.settings().services[changed.service];
  logger_.log(
      changed.up ? messages::kQuorumUp : messages::kQuorumDown,
      "{}: quorum {}: weight {} of {}{}{}", name_of(service), changed.up ? "gained" : "lost",
      changed.weight, service.quorum,
      service.hysteresis == 0 ? "" : fmt::format(" ± {}", service.hysteresis),
      !changed.up && service.sorry_server
          ? fmt::format(", sorry server {} takes over", service.sorry_server->endpoint.to_string())
          : "");
}

void Runner::act(const TableChanged& changed) {
  keeper_.desired_changed(changed.service);
}

void Runner::act(const Notify& notify) {
  const std::string subject = notify.server ? server_name(notify.service, *notify.server)
                                            : name_of(engine_.settings().services[notify.service]);
  if (notify.script) notifier_.tell(subject, notify.kind, *notify.script);
  if (!leaving_) cry(notify);  // keepalived: nothing about the stop itself
}

/// Mail and pipes. A service that has its quorum from the start on is no news for a mailbox.
void Runner::cry(const Notify& notify) {
  const Settings& settings = engine_.settings();
  const ServiceSettings& service = settings.services[notify.service];
  const ServerSettings* server = notify.server ? &service.servers[*notify.server] : nullptr;
  const bool up = notify.kind == NotifyKind::server_up || notify.kind == NotifyKind::quorum_up;
  const bool mails = server != nullptr ? server->mails : service.mails;
  const bool is_start = server == nullptr && told_services_.insert(name_of(service)).second && up;
  auto tidings = tidings_of({.service = service,
                             .server = server,
                             .up = up,
                             .why = server != nullptr ? last_why_ : std::string(),
                             .pipes = settings.pipes,
                             .mail = mails && !is_start});
  if (tidings) notifier_.client().tell(std::move(*tidings));
}

void Runner::forget_scripts_of_others() {
  std::set<std::string> subjects;
  for (const ServiceSettings& service : engine_.settings().services) {
    subjects.insert(name_of(service));
    for (const ServerSettings& server : service.servers)
      subjects.insert(subject_of(service, server.endpoint));
  }
  notifier_.keep_only(subjects);
  std::erase_if(told_services_, [&](const auto& name) { return !subjects.contains(name); });
}

void Runner::act(const Remember& remember) {
  if (!page_) return;
  runtime::CheckRecord record{.since = remember.record.since,
                              .failures_in_row = remember.record.failures_in_row};
  if (remember.record.verdict == Remembered::Verdict::up)
    record.verdict = runtime::CheckRecord::Verdict::up;
  if (remember.record.verdict == Remembered::Verdict::down)
    record.verdict = runtime::CheckRecord::Verdict::down;
  if (const auto& weight = remember.record.weight) {
    using Claim = runtime::CheckRecord::Claim;
    record.claim = weight->kind == WeightClaim::Kind::is ? Claim::is : Claim::adds;
    record.weight = weight->value;
  }
  static_cast<void>(
      page_->store(remember.key, record));  // a full page only means that this one starts afresh
}

void Runner::act(const Forget& forget) {
  if (page_) page_->erase(forget.key);
}

std::string Runner::server_name(std::size_t service, std::size_t server) const {
  const ServiceSettings& settings = engine_.settings().services[service];
  return subject_of(settings, settings.servers[server].endpoint);
}

std::string Runner::check_name(std::size_t service, std::size_t server, std::size_t check) const {
  const ServerSettings& settings = engine_.settings().services[service].servers[server];
  return fmt::format("{}: {}", server_name(service, server), name_of(settings.checks[check].probe));
}

}  // namespace holdfast::checkers
