// What the parent is asked over its control socket.
#include "core/base64.hpp"
#include "runtime/clock.hpp"
#include "runtime/recent_lines.hpp"
#include "runtime/sealed_memfd.hpp"
#include "watchdog/io/daemon.hpp"
#include "watchdog/messages.hpp"

#include <fmt/format.h>

#include <utility>

namespace holdfast::watchdog {

namespace {

/// A longer wait for a confirmation is a mistake in the unit.
constexpr std::chrono::milliseconds kLongestTrial = std::chrono::hours(24);

}  // namespace

void Daemon::open_control_socket() {
  auto server = runtime::ControlServer::listen(loop_.io(), options_.run_dir + "/watchdog.sock");
  if (!server) return logger_.log(kNoControl, "{}", server.error().message);
  control_ = std::move(*server);
  using runtime::ControlAccess;
  control_->handle("status", ControlAccess::read,
                   [this](const boost::json::object&, const runtime::ControlReply& reply) {
                     reply(status(Readers::everybody));
                   });
  control_->handle("status", ControlAccess::change,
                   [this](const boost::json::object&, const runtime::ControlReply& reply) {
                     reply(status(Readers::owners));
                   });
  runtime::answer_about_turns(*control_);
  runtime::answer_about_events(*control_, logger_);
  control_->handle("reload", ControlAccess::change,
                   [this](const boost::json::object& request, runtime::ControlReply reply) {
                     on_reload_command(request, std::move(reply));
                   });
  control_->handle("confirm", ControlAccess::change,
                   [this](const boost::json::object&, runtime::ControlReply reply) {
                     on_trial_command(ConfirmRequested{}, std::move(reply));
                   });
  control_->handle("revert", ControlAccess::change,
                   [this](const boost::json::object&, runtime::ControlReply reply) {
                     on_trial_command(RevertRequested{}, std::move(reply));
                   });
  control_->handle("dump", ControlAccess::change,
                   [this](const boost::json::object& request, const runtime::ControlReply& reply) {
                     const auto wanted = legacy::request_in(runtime::word_of(request, "dumps"));
                     if (!wanted) return reply({{"error", "it is not said which dumps"}});
                     dumps_.ask(*wanted);
                     reply({{"ok", true}});
                   });
  // A configuration holds passwords: only who may change things may read it.
  control_->handle("configuration", ControlAccess::change,
                   [this](const boost::json::object&, const runtime::ControlReply& reply) {
                     on_configuration_command(reply);
                   });
  control_->handle("stop", ControlAccess::change,
                   [this](const boost::json::object&, const runtime::ControlReply& reply) {
                     reply({{"ok", true}});
                     if (!scripts_.stop_waiting()) feed_later(StopRequested{});
                   });
}

void Daemon::on_reload_command(const boost::json::object& request, runtime::ControlReply reply) {
  ReloadOptions options;
  if (const auto* force = request.if_contains("force"); force != nullptr)
    options.force = force->is_bool() && force->get_bool();
  if (const auto* within = request.if_contains("confirm_within_ms"); within != nullptr) {
    boost::system::error_code error;
    const auto milliseconds = within->to_number<std::int64_t>(error);
    if (error || milliseconds < 1 || milliseconds > kLongestTrial.count())
      return reply({{"error", fmt::format("confirm_within_ms must be from 1 to {}",
                                          kLongestTrial.count())}});
    options.confirm_within = std::chrono::milliseconds(milliseconds);
  }
  if (const auto why = supervisor_.why_no_reload(runtime::now())) {
    let_writers_go();
    return reply({{"error", *why}});
  }
  waiting_next_.push_back(std::move(reply));
  feed(ReloadRequested{options});
}

void Daemon::on_trial_command(const Event& event, runtime::ControlReply reply) {
  const Confirmation& trial = supervisor_.confirmation();
  if (!trial.is_waiting())
    return reply({{"error",
                   "no configuration awaits confirmation: the last reload, if there was "
                   "one, was confirmed, has gone back or needed no confirmation"}});
  if (supervisor_.is_going_back())
    return reply({{"error", "the former configuration is already returning"}});
  if (std::holds_alternative<RevertRequested>(event)) {
    waiting_next_.push_back(std::move(reply));  // answered when the former generation runs
    return feed(event);
  }
  feed(event);
  reply({{"ok", true}, {"generation", supervisor_.generation()}});
}

void Daemon::on_configuration_command(const runtime::ControlReply& reply) {
  const auto bytes = runtime::read_sealed_memfd(snapshots_.get(supervisor_.generation()));
  if (!bytes) return reply({{"error", "no configuration is in use: " + bytes.error().message}});
  reply({{"generation", supervisor_.generation()},
         {"config_file", options_.config_file},
         {"config_id", options_.config_id},
         {"snapshot", core::to_base64(*bytes)}});
}

boost::json::object Daemon::status(Readers readers) const {
  return status_json({.readers = readers,
                      .config_file = options_.config_file,
                      .config_id = options_.config_id,
                      .router_id = snapshots_.directives(supervisor_.generation()).router_id,
                      .started_at = started_at_,
                      .now = runtime::now(),
                      .last_reload = last_reload_,
                      .scripts = scripts_.pid(),
                      .notifications = scripts_.report(),
                      .planned_reload = schedule_.planned()},
                     supervisor_, children_);
}

}  // namespace holdfast::watchdog
