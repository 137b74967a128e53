#include "scripts/helper.hpp"

#include "runtime/clock.hpp"
#include "runtime/script_file.hpp"

#include "scripts/messages.hpp"
#include <algorithm>
#include <csignal>
#include <utility>

namespace holdfast::scripts {

using core::ScriptEnd;
using core::ScriptOutcome;
using runtime::ScriptReport;

Helper::Helper(boost::asio::io_context& io, runtime::Logger& logger, Permits permits,
               std::function<void()> on_done)
    : io_(io),
      logger_(logger),
      permits_(std::move(permits)),
      on_done_(std::move(on_done)),
      timer_(io, [this] { handle(Tick{}); }) {}

Helper::~Helper() {
  for (const auto& [run, running] : running_) running->forget();
}

void Helper::serve(const std::string& owner, runtime::UniqueFd end) {
  const std::uint64_t number = ++last_client_;
  owners_.insert(owner);
  Client& client = clients_[number];
  client.owner = owner;
  client.pipe = std::make_unique<runtime::MessagePipe>(
      io_, std::move(end),
      runtime::MessagePipe::Callbacks{
          .on_message =
              [this, number](std::span<const std::uint8_t> bytes) { on_message(number, bytes); },
          .on_closed = [this, number] { on_closed(number); }});
}

void Helper::close_door() {
  door_is_closed_ = true;
  say_farewell_for_the_gone();
  look_whether_done();
}

// A request that is none: the rest of what this client says cannot be trusted either.
void Helper::on_message(std::uint64_t client, std::span<const std::uint8_t> bytes) {
  auto job = runtime::decode_script_job(bytes);
  if (job) return submit(client, std::move(*job));
  if (auto tidings = runtime::decode_tidings(bytes)) {
    if (!on_tidings_) return;
    return on_tidings_(clients_.at(client).owner, std::move(*tidings),
                       [this, client](const runtime::TidingsReport& report) {
                         const auto found = clients_.find(client);
                         if (found != clients_.end()) found->second.pipe->send(encode(report));
                       });
  }
  logger_.log(kNonsense, "the {} process has sent {} bytes that are no request",
              clients_.at(client).owner, bytes.size());
  on_closed(client);
}

void Helper::on_closed(std::uint64_t client) {
  clients_.erase(client);
  if (door_is_closed_) say_farewell_for_the_gone();
  look_whether_done();
}

bool Helper::is_served(const std::string& owner) const {
  return std::ranges::any_of(clients_, [&](const auto& one) { return one.second.owner == owner; });
}

/// Nobody will come and ask for these again: their scripts get what those of a stop get.
void Helper::say_farewell_for_the_gone() {
  for (auto owner = owners_.begin(); owner != owners_.end();) {
    const bool is_gone = !is_served(*owner);
    if (is_gone) handle(Farewell{*owner});
    owner = is_gone ? owners_.erase(owner) : std::next(owner);
  }
}

void Helper::submit(std::uint64_t client, runtime::ScriptJob request) {
  const JobId id = ++last_job_;
  Submitted event{.job = id, .subject = {clients_.at(client).owner, request.subject}, .limits = {}};
  for (const core::Command& command : request.commands) event.limits.push_back(command.limit);
  const std::size_t count = request.commands.size();
  if (count != 0)
    jobs_.emplace(id, Job{.client = client, .request = std::move(request), .unsettled = count});
  handle(std::move(event));
}

void Helper::handle(Event event) {
  events_.push_back(std::move(event));
  if (handling_) return;
  handling_ = true;
  Actions actions;
  while (!events_.empty()) {
    const Event next = std::move(events_.front());
    events_.pop_front();
    actions.clear();
    queue_.step(next, runtime::now(), actions);
    for (const Action& action : actions)
      std::visit([this](const auto& one) { perform(one); }, action);
  }
  handling_ = false;
  arm(queue_.deadline());
  look_whether_done();
}

// Hundreds that begin and end each second move the deadline on and on: an early wake-up now and
// then is cheaper than a timer that is set with each of them.
void Helper::arm(std::optional<core::Instant> deadline) {
  const auto armed = timer_.armed();
  if (deadline && (!armed || *deadline < *armed)) timer_.arm(deadline);
}

void Helper::perform(const Start& action) {
  const core::Command& command = jobs_.at(action.run.job).request.commands[action.run.index];
  std::string program;
  const auto fail = [&](const ScriptOutcome& outcome) {
    settle(action.run, outcome);
    handle(Ended{action.run});
  };
  std::string why = runtime::why_not_run(command, program);
  if (why.empty() && !permits_(command)) why = "it is not in the configuration";
  if (!why.empty()) return fail({.end = ScriptEnd::refused, .why = std::move(why)});
  auto spawned = spawn(program, command);
  if (!spawned) return fail({.end = ScriptEnd::not_started, .code = spawned.error().system_errno});
  const auto running =
      std::make_shared<Running>(io_, std::move(*spawned), runtime::now(),
                                [this, run = action.run](const ScriptOutcome& outcome) {
                                  running_.erase(run);
                                  settle(run, outcome);
                                  handle(Ended{run});
                                });
  running_.emplace(action.run, running);
  report(action.run, ScriptReport::What::started, {});
  running->wait();
}

void Helper::perform(const Strike& action) {
  const auto found = running_.find(action.run);
  if (found == running_.end()) return;
  // A tracked script that hangs does so again and again.
  const bool is_said = action.by != core::EndedBy::time_limit ||
                       time_limit_noise_.admit(name_of(action.run), runtime::now());
  if (action.blow == Blow::ask && is_said)
    logger_.log(kOutlived, "{} is asked to end: {}", name_of(action.run),
                core::reason_sentence(action.by));
  found->second->strike(action.blow == Blow::ask ? SIGTERM : SIGKILL, action.by);
}

void Helper::perform(const Skip& action) {
  settle(action.run, {.end = ScriptEnd::skipped});
}

void Helper::perform(const StillRuns& action) {
  report(action.run, ScriptReport::What::still_runs, {.took = Queue::kSlowAfter});
}

// Its beginning may not be told yet.
void Helper::perform(const Look& action) {
  const auto client = clients_.find(jobs_.at(action.run.job).client);
  if (client != clients_.end()) client->second.pipe->flush();
  const auto found = running_.find(action.run);
  if (found != running_.end() && found->second->is_waiting()) handle(Idle{action.run});
}

std::string Helper::name_of(RunId run) const {
  const runtime::ScriptJob& request = jobs_.at(run.job).request;
  const core::Command& command = request.commands[run.index];
  return fmt::format("{}: {} for {} ({})", request.subject, command.what, request.state,
                     command.argv.empty() ? "" : command.argv.front());
}

/// The last word about a command.
void Helper::settle(RunId run, const ScriptOutcome& outcome) {
  report(run, ScriptReport::What::ended, outcome);
  const auto job = jobs_.find(run.job);
  if (!clients_.contains(job->second.client) && !outcome.succeeded())
    logger_.log(kOrphan, "{} {}", name_of(run), outcome.to_string());
  if (--job->second.unsettled == 0) jobs_.erase(job);
}

void Helper::report(RunId run, ScriptReport::What what, const ScriptOutcome& outcome) {
  const Job& job = jobs_.at(run.job);
  const auto client = clients_.find(job.client);
  if (client == clients_.end()) return;
  const auto report = runtime::encode(ScriptReport{job.request.id, run.index, what, outcome});
  // That a tracked script has begun is told with its end: hundreds begin each second. Of those that
  // take longer, when they are looked at.
  const bool has_time = what == ScriptReport::What::started &&
                        job.request.commands[run.index].limit > core::Duration::zero();
  if (has_time) return client->second.pipe->send_with_next(report);
  client->second.pipe->send(report);
}

void Helper::look_whether_done() {
  if (door_is_closed_ && clients_.empty() && queue_.empty() && on_done_)
    std::exchange(on_done_, {})();
}

}  // namespace holdfast::scripts
