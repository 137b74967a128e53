#include "checkers/notifier.hpp"

#include "checkers/messages.hpp"
#include "runtime/clock.hpp"

namespace holdfast::checkers {
namespace {

std::string state_of(NotifyKind kind) {
  const bool up = kind == NotifyKind::server_up || kind == NotifyKind::quorum_up;
  return up ? "UP" : "DOWN";
}

}  // namespace

Notifier::Notifier(boost::asio::io_context& io, runtime::Logger& logger,
                   runtime::ScriptClient::OnNews on_check)
    : logger_(logger),
      on_check_(std::move(on_check)),
      client_(io, [this](const runtime::ScriptClient::News& news) { on_news(news); }) {}

void Notifier::tell(const std::string& subject, NotifyKind kind, const Script& script) {
  records_.try_emplace(subject);
  client_.run(subject, state_of(kind), {script});
}

void Notifier::keep_only(const std::set<std::string>& subjects) {
  std::erase_if(records_, [&](const auto& record) { return !subjects.contains(record.first); });
  refusals_.clear();
}

void Notifier::on_news(const runtime::ScriptClient::News& news) {
  if (news.command.what == kCheckCommand) return on_check_(news);
  say(news);
  const auto record = records_.find(news.subject);
  if (record == records_.end()) return;
  using What = runtime::ScriptReport::What;
  if (news.what == What::started) record->second.on_started();
  if (news.what == What::ended)
    record->second.on_ended({news.command.what, news.state, news.outcome, runtime::now()});
}

void Notifier::say(const runtime::ScriptClient::News& news) {
  using What = runtime::ScriptReport::What;
  if (news.what == What::started) return;
  const std::string_view program =
      news.command.argv.empty() ? std::string_view() : news.command.argv.front();
  if (news.what == What::still_runs)
    return logger_.log(messages::kScriptSlow, "{}: {} {} still runs after {} s", news.subject,
                       news.command.what, program, news.outcome.took / std::chrono::seconds(1));
  const core::ScriptOutcome& outcome = news.outcome;
  if (outcome.end == core::ScriptEnd::refused &&
      !refusals_.insert(fmt::format("{}\n{}", program, outcome.why)).second)
    return;
  if (!outcome.succeeded())
    logger_.log(messages::kScriptFailed, "{}: {} {} {}", news.subject, news.command.what, program,
                outcome.to_string());
}

}  // namespace holdfast::checkers
