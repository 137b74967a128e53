#include "vrrp/process_tracker.hpp"

#include "runtime/clock.hpp"
#include "vrrp/core/match.hpp"
#include "vrrp/messages.hpp"

#include <boost/asio/post.hpp>

#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

namespace holdfast::vrrp {

ProcessTracker::ProcessTracker(boost::asio::io_context& io, runtime::Logger& logger,
                               std::function<void(Event)> on_event)
    : io_(io),
      logger_(logger),
      on_event_(std::move(on_event)),
      timer_(io,
             [this] {
               ProcessChecks::Actions actions;
               checks_.tick(runtime::now(), actions);
               perform(actions);
             }),
      look_again_(io, [this] { look(); }) {}

ProcessTracker::~ProcessTracker() = default;

void ProcessTracker::follow(const std::vector<ProcessCheck>& checks) {
  const bool is_new = checks_.follow(checks);
  if (checks_.empty()) {
    connector_.reset();
    has_tried_ = false;
    look_.reset();
    watched_.clear();
    look_again_.arm(std::nullopt);
  } else {
    if (!std::exchange(has_tried_, true)) listen();
    if (is_new) {
      look_.reset();  // it has passed some that the new ones may mean
      look();
    }
  }
  timer_.arm(checks_.deadline());
}

void ProcessTracker::listen() {
  auto opened = ProcessConnector::open(
      io_, {.on_changed = [this](ProcessNumber process) { look_at(process); },
            .on_forked =
                [this](ProcessNumber parent, ProcessNumber child) {
                  if (look_) look_->seen.insert(child);
                  ProcessChecks::Actions actions;
                  checks_.forked(parent, child, runtime::now(), actions);
                  perform(actions);
                },
            .on_ended =
                [this](ProcessNumber process) {
                  ProcessChecks::Actions actions;
                  checks_.ended(process, runtime::now(), actions);
                  perform(actions);
                },
            .on_lost = [this] { look(); }});
  if (!opened) {
    logger_.log(kProcesses, "processes are looked for in /proc every {:.1f} s: {}",
                seconds(kLookEvery), opened.error().message);
    return;
  }
  connector_ = std::move(*opened);
  logger_.log(kProcesses, "the kernel tells of processes (process connector)");
}

// ---- all processes ----

void ProcessTracker::look() {
  again_ = look_.has_value();
  if (again_) return;
  look_.emplace();
  go_on();
}

void ProcessTracker::go_on() {
  for (int count = 0; count < kMostPerTurn; ++count) {
    const auto process = look_->list.next();
    if (process) {
      look_at(*process);
      continue;
    }
    ProcessChecks::Actions actions;
    checks_.looked(look_->seen, runtime::now(), actions);
    look_.reset();
    perform(actions);
    if (!connector_) {
      watch_counted();
      look_again_.arm(runtime::now() + kLookEvery);
    } else if (again_) {
      look();
    }
    return;
  }
  boost::asio::post(io_, [this, life = std::weak_ptr<Life>(life_)] {
    if (life.lock() && look_) go_on();
  });
}

void ProcessTracker::look_at(ProcessNumber process) {
  const auto facts = read_process(
      process, checks_.needs_command_lines() ? CommandLine::wanted : CommandLine::left_out);
  if (!facts) return;  // its end is told, too
  if (look_) look_->seen.insert(process);
  ProcessChecks::Actions actions;
  checks_.found(process, *facts, runtime::now(), actions);
  perform(actions);
}

// ---- without the connector: their ends ----

void ProcessTracker::watch_counted() {
  const std::set<ProcessNumber> counted = checks_.counted();
  std::erase_if(watched_, [&](const auto& each) { return !counted.contains(each.first); });
  for (const ProcessNumber process : counted) {
    if (watched_.size() >= kMostWatched) return;
    if (!watched_.contains(process)) watch(process);
  }
}

void ProcessTracker::watch(ProcessNumber process) {
  const auto fd = static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
  if (fd < 0) return;  // gone, which the next look shows
  auto& descriptor = watched_.try_emplace(process, io_, fd).first->second;
  descriptor.async_wait(descriptor.wait_read,
                        [this, process, life = std::weak_ptr<Life>(life_)](auto error) {
                          if (error || !life.lock() || watched_.erase(process) == 0) return;
                          ProcessChecks::Actions actions;
                          checks_.ended(process, runtime::now(), actions);
                          perform(actions);
                        });
}

void ProcessTracker::perform(const ProcessChecks::Actions& actions) {
  for (const ProcessChecks::Said& said : actions) {
    const bool is_good = said.verdict == Verdict::good;
    logger_.log(is_good ? kTracked : kTrackedFails, "vrrp_track_process {}: {}", said.name,
                said.why);
    on_event_(TrackerReported{{TrackerKind::process, said.name}, said.verdict});
  }
  timer_.arm(checks_.deadline());
}

}  // namespace holdfast::vrrp
