#include "watchdog/io/script_process.hpp"

#include "runtime/clock.hpp"
#include "runtime/message_pipe.hpp"
#include "runtime/script_messages.hpp"
#include "watchdog/messages.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

namespace holdfast::watchdog {

ScriptProcess::ScriptProcess(boost::asio::io_context& io, runtime::Logger& logger,
                             runtime::ChildOptions options, Introduce introduce)
    : io_(io),
      logger_(logger),
      options_(std::move(options)),
      introduce_(std::move(introduce)),
      again_(io, [this] { begin(); }),
      patience_(io,
                [this] {
                  logger_.log(kScriptsLeft,
                              "scripts have not ended within {} s: they are left to themselves",
                              kPatience / std::chrono::seconds(1));
                  finish();
                }),
      look_(io, kLookEvery, [this] { look(); }),
      host_limit_(io, [this] { end_host_script("has not ended"); }) {}

void ScriptProcess::connect(Role role) {
  served_.insert(role);
  if (process_) return connect_to_running(role);
  if (!again_.armed()) begin();
}

void ScriptProcess::configure(Generation generation, runtime::UniqueFd snapshot) {
  if (!configurations_.empty() && configurations_.back().first == generation) return;
  if (!snapshot)
    return logger_.log(kScriptsDied, "no descriptor is left for the configuration of scripts");
  configurations_.emplace_back(generation, std::move(snapshot));
  if (configurations_.size() > runtime::kScriptGenerations) configurations_.pop_front();
  if (process_) send_configuration(generation, configurations_.back().second);
}

void ScriptProcess::commit(Generation generation, mode_t mask) {
  in_use_ = generation;
  umask_ = mask;
  const bool is_newest = !configurations_.empty() && configurations_.back().first == generation;
  if (process_ && is_newest) send_commit();
}

// To that process a commit means what it was sent last, and brings the umask of that.
void ScriptProcess::send_commit() {
  runtime::Frame frame{.type = runtime::FrameType::commit, .number = umask_, .text = {}, .fd = {}};
  if (const auto sent = channel_->send(std::move(frame)); !sent)
    logger_.log(kScriptsDied, "{}", sent.error().message);
}

void ScriptProcess::send_configuration(Generation generation, const runtime::UniqueFd& snapshot) {
  runtime::Frame frame{.type = runtime::FrameType::prepare,
                       .number = generation,
                       .text = {},
                       .fd = snapshot.duplicate()};
  if (const auto sent = channel_->send(std::move(frame)); !sent)
    logger_.log(kScriptsDied, "{}", sent.error().message);
}

void ScriptProcess::begin() {
  if (const auto spawned = spawn(); !spawned) {
    logger_.log(kScriptsDied,
                "the process that runs scripts cannot be started: {}; the next try is "
                "in {} ms, until then scripts wait",
                spawned.error().message, pause_ / std::chrono::milliseconds(1));
    again_.arm(runtime::now() + pause_);
    pause_ = std::min(2 * pause_, kLongestPause);
    return;
  }
  // In the middle of a reload the last one is a candidate, which may yet be refused.
  for (const auto& [generation, snapshot] : configurations_) {
    send_configuration(generation, snapshot);
    if (generation == in_use_) send_commit();
  }
  for (const Role role : kRoles)
    if (served_.contains(role)) connect_to_running(role);
}

core::Result<void> ScriptProcess::spawn() {
  auto ends = runtime::make_channel_pair();
  if (!ends) return ends.error();
  auto process =
      Process::spawn(io_, {.arguments = runtime::to_arguments(options_), .fd3 = ends->child.get()},
                     [this](ExitStatus status) { on_exit(status); });
  if (!process) return process.error();
  process_ = std::move(*process);
  started_at_ = runtime::now();
  has_spoken_ = false;
  looks_ = idle_looks_ = 0;
  channel_ = std::make_unique<runtime::Channel>(io_, std::move(ends->parent));
  // Its death is seen by the pidfd.
  channel_->start(
      [this](const runtime::Frame& frame) {
        if (frame.type == runtime::FrameType::heartbeat) on_heartbeat(frame);
        if (frame.type == runtime::FrameType::host_script) end_host_script(frame.text);
      },
      [](const std::string&) {});
  return {};
}

void ScriptProcess::on_heartbeat(const runtime::Frame& frame) {
  report_ = frame.text;
  has_spoken_ = true;
  looks_ = idle_looks_ = 0;
}

// Counted in looks, between which heartbeats are heard: when this process was itself held up, the
// other one has not been silent.
void ScriptProcess::look() {
  if (!process_ || on_left_) return;
  const Process::Activity activity = process_->activity();
  const bool works = !activity.is_stopped && (activity.is_working || activity.worked > worked_);
  worked_ = activity.worked;
  ++looks_;
  idle_looks_ = works ? 0 : idle_looks_ + 1;
  if (idle_looks_ < (has_spoken_ ? kMostIdleLooks : kMostIdleLooksAtStart) && looks_ < kMostLooks)
    return;
  logger_.log(
      kScriptsHang, "the process that runs scripts gave no sign of life for {} s{}: it is ended",
      looks_ * kLookEvery / std::chrono::seconds(1), activity.is_stopped ? " (it is stopped)" : "");
  looks_ = idle_looks_ = 0;
  process_->signal(SIGKILL);
}

void ScriptProcess::connect_to_running(Role role) {
  auto pair = runtime::make_pipe_pair();
  if (!pair) return logger_.log(kScriptsDied, "{}", pair.error().message);
  runtime::Frame frame{.type = runtime::FrameType::scripts,
                       .number = 0,
                       .text = std::string(to_string(role)),
                       .fd = std::move(pair->one)};
  if (const auto sent = channel_->send(std::move(frame)); !sent)
    return logger_.log(kScriptsDied, "{}", sent.error().message);
  introduce_(role, std::move(pair->other));
}

void ScriptProcess::on_exit(ExitStatus status) {
  channel_.reset();
  const std::unique_ptr<Process> ended = std::move(process_);  // not from inside its own callback
  end_host_script("may not have ended: the process that ran it " + to_sentence(status));
  if (on_left_) return finish();
  if (runtime::now() - started_at_ > kStable) pause_ = kFirstPause;
  logger_.log(kScriptsDied,
              "the process that runs scripts {}; scripts that ran are left alone, the others wait "
              "for the next one in {} ms",
              to_sentence(status), pause_ / std::chrono::milliseconds(1));
  again_.arm(runtime::now() + pause_);
  pause_ = std::min(2 * pause_, kLongestPause);
}

void ScriptProcess::run_host_script(runtime::HostScript which, core::Duration limit,
                                    std::function<void(const std::string&)> done) {
  on_host_script_ = std::move(done);
  if (!process_ && !again_.armed()) begin();
  if (!process_) return end_host_script("was not run: the process for scripts cannot be started");
  runtime::Frame frame{.type = runtime::FrameType::host_script,
                       .number = static_cast<std::uint64_t>(which),
                       .text = {},
                       .fd = {}};
  if (const auto sent = channel_->send(std::move(frame)); !sent)
    return end_host_script("was not run: " + sent.error().message);
  host_limit_.arm(runtime::now() + limit + kHostGrace);
}

void ScriptProcess::end_host_script(const std::string& how) {
  host_limit_.arm(std::nullopt);
  if (on_host_script_) std::exchange(on_host_script_, {})(how);
}

void ScriptProcess::leave(std::function<void()> on_left) {
  again_.arm(std::nullopt);
  if (!process_) return on_left();
  on_left_ = std::move(on_left);
  channel_.reset();  // it ends when its last script has ended
  patience_.arm(runtime::now() + kPatience);
}

bool ScriptProcess::stop_waiting() {
  const bool waits = on_left_ || on_host_script_;
  end_host_script("is not waited for any more");
  finish();
  return waits;
}

void ScriptProcess::finish() {
  patience_.arm(std::nullopt);
  if (on_left_) std::exchange(on_left_, {})();
}

std::optional<pid_t> ScriptProcess::pid() const {
  if (!process_) return std::nullopt;
  return process_->pid();
}

}  // namespace holdfast::watchdog
