// What pipes and mail hear of instances and groups, and who asks for it.
#include "config/load.hpp"
#include "tests/unit/runtime/support.hpp"
#include "vrrp/notifier.hpp"

#include <doctest/doctest.h>

#include "scripts/helper.hpp"

using namespace holdfast;
using namespace holdfast::vrrp;
using runtime::testing::run_until;

namespace {

constexpr std::string_view kInstance =
    "vrrp_instance VI_1 {\n interface eth0\n virtual_router_id 51\n priority 150\n"
    " virtual_ipaddress {\n 192.0.2.1\n }\n";

Wiring wiring_with(const std::string& globals, const std::string& words = "") {
  const auto loaded = config::load_text(
      "global_defs {\n" + globals + "\n}\n" + std::string(kInstance) + words + "\n}\n", "x.conf");
  REQUIRE_FALSE(loaded.diagnostics.has_errors());
  return wiring_of(loaded.model);
}

/// A notifier whose tidings are heard.
struct Stage {
  boost::asio::io_context io;
  runtime::Logger logger{"test", {.to_stderr = false, .to_syslog = false}};
  Notifier notifier{io, logger, [](const Event&) {}};
  scripts::Helper helper{io, logger, [](const core::Command&) { return true; }, [] {}};
  std::vector<runtime::Tidings> heard;
  core::Shared<Subject> router;

  explicit Stage(const std::string& globals, const std::string& words = "") {
    helper.give_tidings_to([this](const std::string&, runtime::Tidings tidings,
                                  const std::function<void(runtime::TidingsReport)>& answer) {
      answer({tidings.id, runtime::TidingsReport::What::settled});
      heard.push_back(std::move(tidings));
    });
    auto pair = runtime::make_pipe_pair();
    REQUIRE(pair.has_value());
    helper.serve("vrrp", std::move(pair->one));
    notifier.client().connect(std::move(pair->other));
    Wiring wiring = wiring_with(globals, words);
    router = core::Shared<Subject>(
        Subject{.key = wiring.instances.at(0).key(), .name = wiring.instances.at(0).name});
    notifier.take(wiring);
  }
  void tell(NotifyState state) { notifier.tell(Notify{router, state, 150}); }
  std::vector<std::string> lines() {
    REQUIRE(run_until(io, [this] { return notifier.client().idle(); }));
    std::vector<std::string> lines;
    for (const runtime::Tidings& one : heard) lines.push_back(one.line);
    return lines;
  }
  std::vector<std::string> titles(std::size_t count) {
    REQUIRE(run_until(io, [&] { return heard.size() >= count; }));
    std::vector<std::string> titles;
    for (const runtime::Tidings& one : heard) titles.push_back(one.title);
    return titles;
  }
};

const std::string kPipe = "vrrp_notify_fifo /run/x";
using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("tidings: every state is a line with the effective priority, in order") {
  Stage stage(kPipe);
  for (const NotifyState state :
       {NotifyState::backup, NotifyState::master, NotifyState::master_rx_lower_pri,
        NotifyState::fault, NotifyState::stop})
    stage.tell(state);
  CHECK(stage.lines() == Lines{"INSTANCE \"VI_1\" BACKUP 150", "INSTANCE \"VI_1\" MASTER 150",
                               "INSTANCE \"VI_1\" MASTER_RX_LOWER_PRI 150",
                               "INSTANCE \"VI_1\" FAULT 150", "INSTANCE \"VI_1\" STOP 150"});
}

TEST_CASE("tidings: an instance that is taken away is FAULT, or DELETED where notify_deleted is") {
  Stage plain(kPipe);
  plain.tell(NotifyState::deleted);
  CHECK(plain.lines() == Lines{"INSTANCE \"VI_1\" FAULT 150"});
  Stage knows(kPipe, "notify_deleted /bin/true");
  knows.tell(NotifyState::deleted);
  CHECK(knows.lines() == Lines{"INSTANCE \"VI_1\" DELETED 150"});
}

TEST_CASE("tidings: mail about MASTER, BACKUP and FAULT, and about nothing else") {
  Stage stage("smtp_alert true");
  for (const NotifyState state :
       {NotifyState::backup, NotifyState::master, NotifyState::backup, NotifyState::fault,
        NotifyState::stop, NotifyState::deleted, NotifyState::master_rx_lower_pri})
    stage.tell(state);
  CHECK(stage.titles(4) == Lines{"VRRP Instance VI_1 - Entering BACKUP state",
                                 "VRRP Instance VI_1 - Entering MASTER state",
                                 "VRRP Instance VI_1 - Entering BACKUP state",
                                 "VRRP Instance VI_1 - Entering FAULT state"});
}

TEST_CASE("tidings: a group has lines of priority 0 and letters of its own") {
  Stage stage(kPipe, "}\nvrrp_sync_group G1 {\n  group {\n    VI_1\n  }\n  smtp_alert true");
  for (const NotifyState state : {NotifyState::backup, NotifyState::master})
    stage.notifier.tell(GroupChanged{stage.router, "G1", StateName::init, state, ""});
  CHECK(stage.lines() == Lines{"GROUP \"G1\" BACKUP 0", "GROUP \"G1\" MASTER 0"});
  CHECK(stage.heard[0].title == "VRRP Group G1 - Entering BACKUP state");
  CHECK(stage.heard[1].title == "VRRP Group G1 - Entering MASTER state");
}

TEST_CASE("tidings: after a reload states are repeated only where that is asked for") {
  Stage quiet(kPipe);
  quiet.notifier.repeat("VI_1", NotifyState::master, 150);
  CHECK(quiet.lines().empty());
  Stage repeats(kPipe + "\nfifo_write_vrrp_states_on_reload");
  repeats.notifier.repeat("VI_1", NotifyState::master, 150);
  CHECK(repeats.lines() == Lines{"INSTANCE \"VI_1\" MASTER 150"});
}

TEST_CASE("tidings: without pipes and smtp_alert nobody hears anything; faults can be left out") {
  CHECK(wiring_with("").mails.empty());
  CHECK_FALSE(wiring_with("").pipes);
  CHECK(wiring_with("", "smtp_alert").mails.size() == 1);
  CHECK(wiring_with("smtp_alert true", "smtp_alert false").mails.empty());
  CHECK(wiring_with("notify_fifo /x").pipes);
  CHECK_FALSE(wiring_with("lvs_notify_fifo /x").pipes);
  Stage stage("smtp_alert true\nno_email_faults");
  stage.tell(NotifyState::fault);
  stage.tell(NotifyState::master);
  CHECK(stage.titles(1) == Lines{"VRRP Instance VI_1 - Entering MASTER state"});
}
