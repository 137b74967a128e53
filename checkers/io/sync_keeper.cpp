#include "checkers/io/sync_keeper.hpp"

#include "checkers/messages.hpp"
#include "runtime/clock.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace holdfast::checkers {

SyncKeeper::SyncKeeper(runtime::Loop& loop, runtime::Logger& logger)
    : loop_(loop),
      logger_(logger),
      timer_(loop.io(), [this] { handle(sync_event::Tick{}); }),
      self_(std::make_shared<SyncKeeper*>(this)) {}

SyncKeeper::~SyncKeeper() {
  *self_ = nullptr;
}

void SyncKeeper::configure(const Settings& settings) {
  handle(sync_event::Configured{settings.sync, settings.timeouts});
}

void SyncKeeper::held(bool here) {
  handle(sync_event::Held{here});
}

void SyncKeeper::stop(bool keep, std::function<void()> on_finished) {
  on_finished_ = std::move(on_finished);
  handle(sync_event::Stopping{keep});
}

void SyncKeeper::handle(const SyncEvent& event) {
  SyncActions actions;
  synchroniser_.step(event, runtime::now(), actions);
  timer_.arm(synchroniser_.deadline());
  for (const SyncAction& action : actions)
    std::visit([this](const auto& one) { act(one); }, action);
}

// Every answer to an action is posted, so that handle() never runs inside itself.

void SyncKeeper::act(const sync_action::Read&) {
  boost::asio::post(loop_.io(), [self = self_] {
    if (*self) (*self)->read();
  });
}

void SyncKeeper::read() {
  const auto failed = [this](const core::Error& error) {
    client_.reset();
    handle(sync_event::ReadFailed{error.message});
  };
  if (!client_) {
    auto opened = ipvs::Client::open();
    if (!opened) return failed(opened.error());
    client_.emplace(std::move(*opened));
  }
  const auto daemons = client_->sync_daemons();
  if (!daemons) return failed(daemons.error());
  const auto timeouts = client_->timeouts();
  if (!timeouts) return failed(timeouts.error());
  handle(sync_event::WasRead{*daemons, *timeouts});
}

void SyncKeeper::act(const sync_action::Command& command) {
  commands_ = command.commands;
  boost::asio::post(loop_.io(), [self = self_] {
    if (*self) (*self)->command();
  });
}

void SyncKeeper::command() {
  sync_event::Commanded done;
  for (const ipvs::SyncCommand& one : commands_) {
    logger_.log(messages::kIpvsChange, "ipvsadm {}", ipvs::to_string(one));
    const auto result = client_->command(one);
    if (!result) done.refusals.push_back(result.error().message);
  }
  handle(done);
}

void SyncKeeper::act(const sync_action::ReportDrift& report) {
  std::vector<std::string> lines;
  for (const ipvs::SyncCommand& one : report.repair) lines.push_back(ipvs::to_string(one));
  logger_.log(messages::kSyncDrift,
              "somebody changed the IPVS sync daemons or timeouts, putting them back: {}",
              fmt::join(lines, "; "));
}

void SyncKeeper::act(const sync_action::ReportTrouble& report) {
  if (report.sentence)
    logger_.log_text(messages::kSyncTrouble, *report.sentence);
  else
    logger_.log(messages::kSyncWell, "the IPVS sync daemons and timeouts are as they should be");
}

void SyncKeeper::act(const sync_action::ReportRoles& report) {
  std::vector<std::string> roles;
  for (const auto& [role, daemon] : report.daemons) roles.push_back(ipvs::to_string(role, daemon));
  logger_.log(messages::kSyncRoles, "connections are synchronised: {}", fmt::join(roles, "; "));
}

void SyncKeeper::act(const sync_action::Finished&) {
  if (on_finished_) boost::asio::post(loop_.io(), std::exchange(on_finished_, nullptr));
}

}  // namespace holdfast::checkers
