#include "ctl/metrics_desk.hpp"

#include "ctl/client.hpp"
#include "ctl/metrics.hpp"
#include "runtime/clock.hpp"

#include <thread>
#include <utility>

namespace holdfast::ctl {
namespace {

/// Between two rounds of questions, however many ask.
constexpr core::Duration kFresh = std::chrono::seconds(1);
/// Well below the 10 s that Prometheus waits.
constexpr core::Duration kPatience = std::chrono::seconds(3);

}  // namespace

Replies ask_everybody(const Target& target) {
  Replies replies;
  std::vector<std::jthread> threads;
  for (std::size_t at = 0; at < kProcesses.size(); ++at)
    threads.emplace_back([&, at] { replies.at(at) = ask(target, kProcesses.at(at)); });
  threads.clear();  // joined
  return replies;
}

std::shared_ptr<const std::string> MetricsDesk::Round::page(Dialect dialect) {
  auto& page = pages_[dialect];
  if (!page)
    page = std::make_shared<const std::string>(
        render_metrics(replies_, dialect, runtime::iso8601_utc(runtime::now())));
  return page;
}

MetricsDesk::MetricsDesk(boost::asio::io_context& io, Target target)
    : target_(std::move(target)), threads_(io) {
  target_.timeout = kPatience;
}

void MetricsDesk::want(Taker taker) {
  if (latest_ && latest_->age(runtime::now()) < kFresh) return taker(*latest_);
  waiting_.push_back(std::move(taker));
  if (!in_work_) begin();
}

void MetricsDesk::begin() {
  in_work_ = std::make_shared<Replies>();
  const auto started = threads_.run(
      [target = target_, to = in_work_] { *to = ask_everybody(target); }, [this] { complete(); });
  if (started) return;
  for (std::size_t at = 0; at < kProcesses.size(); ++at)
    in_work_->at(at) = {std::string(kProcesses.at(at)), std::nullopt, started.error().message};
  complete();
}

void MetricsDesk::complete() {
  latest_.emplace(std::move(*in_work_), runtime::now());
  in_work_.reset();
  for (const Taker& taker : std::exchange(waiting_, {})) taker(*latest_);
}

}  // namespace holdfast::ctl
