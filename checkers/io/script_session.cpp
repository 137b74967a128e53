#include "checkers/io/script_session.hpp"

#include "checkers/core/script_verdict.hpp"
#include "runtime/clock.hpp"

#include <fmt/format.h>

#include <utility>

namespace holdfast::checkers {
namespace {

constexpr const char* kChecking = "checking";
constexpr const char* kNobody = "nobody";

}  // namespace

ScriptSession::ScriptSession(boost::asio::io_context& io, ProbeDriver& driver, ProbeId id,
                             const ScriptProbe& probe)
    : timer_(io, [this] { on_limit(); }),
      driver_(&driver),
      id_(id),
      probe_(probe),
      // Of its own: runs of one subject overtake each other.
      subject_(fmt::format("MISC_CHECK {} #{}",
                           probe.command.argv.empty() ? "" : probe.command.argv.front(),
                           static_cast<std::uint64_t>(id))) {}

void ScriptSession::begin() {
  driver_->expect_news(subject_, id_);
  driver_->scripts().run(subject_, kChecking, {probe_.command});
}

void ScriptSession::cancel() {
  if (!driver_) return;
  driver_->expect_no_news(subject_);
  driver_->scripts().run(subject_, kNobody, {});
  driver_ = nullptr;
  timer_.arm(std::nullopt);
}

void ScriptSession::on_news(const runtime::ScriptClient::News& news) {
  using What = runtime::ScriptReport::What;
  if (!driver_ || news.state != kChecking) return;
  // It may have waited for its turn: its time begins now.
  if (news.what == What::started)
    timer_.arm(runtime::now() + probe_.command.limit + kScriptPatience);
  if (news.what == What::ended) finish(outcome_of_script(probe_, news.outcome));
}

void ScriptSession::on_limit() {
  const core::ScriptOutcome too_slow{.by = core::EndedBy::time_limit,
                                     .took = probe_.command.limit + kScriptPatience};
  finish(outcome_of_script(probe_, too_slow));
}

void ScriptSession::finish(Outcome outcome) {
  if (!driver_) return;
  ProbeDriver* driver = driver_;
  const auto keep_alive = shared_from_this();
  driver->expect_no_news(subject_);
  driver_ = nullptr;
  timer_.arm(std::nullopt);
  driver->finished(id_, std::move(outcome));
}

}  // namespace holdfast::checkers
