#include "vrrp/notifier.hpp"

#include "vrrp/messages.hpp"

namespace holdfast::vrrp {
namespace {

/// Its script is a hint, not a state: it must not end what runs for one, nor be ended by it.
constexpr std::string_view kHintSuffix = " (lower priority heard)";

/// Instances may have the same name.
std::string subject_of_group(const std::string& name) {
  return "sync group " + name;
}

}  // namespace

Notifier::Notifier(boost::asio::io_context& io, runtime::Logger& logger,
                   std::function<void(Event)> on_event)
    : logger_(logger),
      on_event_(std::move(on_event)),
      client_(io, [this](const runtime::ScriptClient::News& news) { on_news(news); }) {}

void Notifier::take(Wiring& wiring) {
  std::set<RouterKey> configured;
  if (!scripts_.empty())
    for (const InstanceSettings& settings : wiring.instances) configured.insert(settings.key());
  departing_.clear();
  for (auto& [key, scripts] : scripts_) {
    if (configured.contains(key)) continue;
    wiring.scripts.emplace(key, std::move(scripts));
    departing_.insert(key);
  }
  scripts_ = std::move(wiring.scripts);
  mails_ = std::move(wiring.mails);
  group_mails_ = std::move(wiring.group_mails);
  mails_faults_ = wiring.mails_faults;
  pipes_ = wiring.pipes;
  states_on_reload_ = wiring.states_on_reload;
  group_scripts_ = std::move(wiring.group_scripts);
  refusals_.clear();
}

void Notifier::tell(const Notify& notify, const StateChanged* change) {
  cry(notify);
  if (notify.state == NotifyState::master_priority || notify.state == NotifyState::backup_priority)
    return;  // nobody's script asks for it, and what runs for the state goes on
  std::string subject = notify.router->name;
  if (notify.state == NotifyState::master_rx_lower_pri) subject += kHintSuffix;
  std::vector<core::Command> commands;
  if (const auto found = scripts_.find(notify.router->key); found != scripts_.end()) {
    commands = commands_for(found->second, notify.router->name, notify.state, notify.priority);
    tell_occasion(
        found->second,
        {.kind = "INSTANCE",
         .name = notify.router->name,
         .state = std::string(to_string(state_told(&found->second, notify.state))),
         .previous_state = change == nullptr ? std::string() : std::string(to_string(change->from)),
         .reason = change == nullptr ? std::string() : change->why,
         .priority = std::to_string(notify.priority)},
        commands);
  }
  // A state without a script still outlives the script of the one before.
  // So does the first state of a successor: what its predecessor asked for may run still.
  const bool has_scripts = scripts_.contains(notify.router->key);
  if (commands.empty() && !has_scripts && !subjects_.contains(subject)) return;
  subjects_.insert_or_assign(subject, notify.router->key);
  client_.run(std::move(subject), std::string(to_string(notify.state)), std::move(commands));
}

// Beside scripts.
void Notifier::cry(const Notify& notify) {
  const auto scripts = scripts_.find(notify.router->key);
  const NotifyState state =
      state_told(scripts == scripts_.end() ? nullptr : &scripts->second, notify.state);
  const bool mail = mails_.contains(notify.router->key) && wants_letter(state) &&
                    notify.state != NotifyState::deleted;
  auto tidings = tidings_of({Teller::Kind::instance, notify.router->name}, state, notify.priority,
                            {.pipes = pipes_, .mail = mail});
  if (tidings) client_.tell(std::move(*tidings));
}

bool Notifier::wants_letter(NotifyState state) const {
  return state != NotifyState::fault || mails_faults_;
}

void Notifier::cry(const GroupChanged& change) {
  const bool mail = group_mails_.contains(change.group) && wants_letter(change.to);
  auto tidings = tidings_of({Teller::Kind::group, change.group}, change.to, 0,
                            {.pipes = pipes_, .mail = mail});
  if (tidings) client_.tell(std::move(*tidings));
}

void Notifier::repeat(const std::string& name, NotifyState state, std::uint8_t priority) {
  if (!states_on_reload_) return;
  auto tidings =
      tidings_of({Teller::Kind::instance, name}, state, priority, {.pipes = true, .mail = false});
  if (tidings) client_.tell(std::move(*tidings));
}

void Notifier::tell(const GroupChanged& change) {
  cry(change);
  std::vector<core::Command> commands;
  const auto found = group_scripts_.find(change.group);
  if (found != group_scripts_.end()) {
    commands = commands_for_group(found->second, change.group, change.to);
    tell_occasion(found->second,
                  {.kind = "GROUP",
                   .name = change.group,
                   .state = std::string(to_string(change.to)),
                   .previous_state = std::string(to_string(change.from)),
                   .reason = change.why,
                   .priority = {}},
                  commands);
  }
  if (found == group_scripts_.end() && !told_groups_.contains(change.group)) return;
  told_groups_.insert(change.group);
  client_.run(subject_of_group(change.group), std::string(to_string(change.to)),
              std::move(commands));
}

void Notifier::forget(const RouterKey& key) {
  if (departing_.erase(key) == 0) return;
  scripts_.erase(key);
  std::erase_if(subjects_, [&](const auto& subject) { return subject.second == key; });
}

void Notifier::on_news(const runtime::ScriptClient::News& news) {
  if (news.command.what == kCheckCommand) {
    if (tracker_ != nullptr) tracker_->on_news(news);
    return;
  }
  say(news);
  const auto subject = subjects_.find(news.subject);
  if (subject == subjects_.end()) return;  // of an instance that is gone
  using What = runtime::ScriptReport::What;
  if (news.what == What::started) on_event_(ScriptStarted{subject->second});
  if (news.what == What::ended)
    on_event_(ScriptEnded{subject->second, news.command.what, news.state, news.outcome});
}

void Notifier::say(const runtime::ScriptClient::News& news) {
  using What = runtime::ScriptReport::What;
  if (news.what == What::started) return;
  const bool is_quiet = news.what == What::ended && news.outcome.by == core::EndedBy::itself &&
                        !news.outcome.failed();
  // Thousands of instances change their state at once, and nobody asked for these lines.
  if (is_quiet && !logger_.is_shown(kScriptDone.level)) return;
  const std::string who = fmt::format("{}: {} for {}", news.subject, news.command.what, news.state);
  const std::string_view program =
      news.command.argv.empty() ? std::string_view() : news.command.argv.front();
  if (news.what == What::still_runs)
    return logger_.log(kScriptSlow, "{}: {} still runs after {} s", who, program,
                       news.outcome.took / std::chrono::seconds(1));
  if (news.outcome.end == core::ScriptEnd::refused &&
      !refusals_.insert(fmt::format("{}\n{}", program, news.outcome.why)).second)
    return;
  logger_.log(is_quiet ? kScriptDone : kScript, "{}: {} {}", who, program,
              news.outcome.to_string());
}

}  // namespace holdfast::vrrp
