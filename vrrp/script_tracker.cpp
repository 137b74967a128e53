#include "vrrp/script_tracker.hpp"

#include "runtime/clock.hpp"
#include "vrrp/messages.hpp"

#include <utility>

namespace holdfast::vrrp {
namespace {

/// Scripts of one subject run one after the other.
constexpr std::string_view kSubject = "vrrp_script ";
constexpr const char* kTracking = "tracking";
constexpr const char* kNobody = "nobody";

std::string subject_of(const std::string& name) {
  return std::string(kSubject) + name;
}

}  // namespace

ScriptTracker::ScriptTracker(boost::asio::io_context& io, runtime::Logger& logger,
                             runtime::ScriptClient& client, std::function<void(Event)> on_event)
    : logger_(logger), client_(client), on_event_(std::move(on_event)), timer_(io, [this] {
        ScriptChecks::Actions actions;
        checks_.tick(runtime::now(), actions);
        perform(actions);
      }) {}

void ScriptTracker::follow(const std::vector<ScriptCheck>& checks,
                           const std::set<std::string>& at_work) {
  ScriptChecks::Actions actions;
  checks_.follow(checks, at_work, runtime::now(), actions);
  perform(actions);
}

void ScriptTracker::on_news(const runtime::ScriptClient::News& news) {
  using What = runtime::ScriptReport::What;
  const std::string name = news.subject.substr(kSubject.size());
  ScriptChecks::Actions actions;
  if (news.what == What::started) checks_.started(name, news.command, runtime::now());
  if (news.what == What::ended)
    checks_.ended(name, news.command, news.outcome, runtime::now(), actions);
  perform(actions);
}

void ScriptTracker::perform(const ScriptChecks::Actions& actions) {
  for (const ScriptChecks::Action& action : actions)
    std::visit([this](const auto& each) { perform(each); }, action);
  timer_.arm(checks_.deadline());
}

void ScriptTracker::perform(const ScriptChecks::Run& run) {
  client_.run(subject_of(run.name), kTracking, {run.command});
}

void ScriptTracker::perform(const ScriptChecks::Drop& drop) {
  client_.run(subject_of(drop.name), kNobody, {});
}

void ScriptTracker::perform(const ScriptChecks::Said& said) {
  const bool is_good = said.verdict == Verdict::good;
  logger_.log(is_good ? kTracked : kTrackedFails, "vrrp_script {} {}: {}", said.name,
              is_good ? "succeeds" : "fails", said.why);
  on_event_(TrackerReported{{TrackerKind::script, said.name}, said.verdict});
}

}  // namespace holdfast::vrrp
