#include "runtime/child.hpp"

#include "runtime/clock.hpp"
#include "runtime/messages.hpp"
#include "runtime/signals.hpp"

#include <csignal>
#include <fcntl.h>
#include <unistd.h>

namespace holdfast::runtime {

struct Child::State : std::enable_shared_from_this<Child::State> {
  State(Loop& loop, Logger& log, const ChildOptions& options, ChildCallbacks calls)
      : logger(log),
        callbacks(std::move(calls)),
        channel(loop.io(), UniqueFd(options.channel_fd)),
        heartbeat(loop.io(), options.heartbeat_interval, [this] {
          send({FrameType::heartbeat, ++heartbeats, {}, {}});
        }) {}

  void send(Frame frame) {
    auto sent = channel.send(std::move(frame));
    if (!sent && !stopping) logger.log(kChildReply, "{}", sent.error().message);
  }

  void on_frame(Frame frame) {
    switch (frame.type) {
      case FrameType::prepare:
        return prepare(std::move(frame));
      case FrameType::commit:
        return commit(frame.number);
      case FrameType::abort:
        preparing = prepared = 0;
        return callbacks.abort(frame.number);
      case FrameType::stop:
        asked_by_watchdog = asked_by_watchdog || !stopping;
        director_ends = director_ends || frame.number != kStopForSuccessor;
        return stop("the watchdog asked for it", stop_frames);
      case FrameType::sibling:
        if (callbacks.sibling) callbacks.sibling(std::move(frame.fd));
        return;
      case FrameType::scripts:
        if (callbacks.scripts) callbacks.scripts(std::move(frame.fd));
        return;
      case FrameType::hello:
      case FrameType::heartbeat:
      case FrameType::prepared:
      case FrameType::refused:
      case FrameType::committed:
      case FrameType::dump:
      case FrameType::host_script:
        break;
    }
    logger.log(kChildFrame, "frame of type {} is not for a child", static_cast<int>(frame.type));
  }

  void prepare(Frame frame) {
    const std::uint64_t number = frame.number;
    preparing = number;
    prepared = 0;  // the callback forgets what it had prepared before
    callbacks.prepare(number, std::move(frame.fd),
                      [weak = weak_from_this(), number](const core::Result<void>& outcome) {
                        const auto self = weak.lock();
                        // An answer to a prepare that was aborted or replaced is of no use to
                        // anybody.
                        if (!self || self->preparing != number) return;
                        if (outcome) {
                          self->prepared = number;
                          self->send({FrameType::prepared, number, {}, {}});
                        } else {
                          self->send({FrameType::refused, number, outcome.error().message, {}});
                        }
                      });
  }

  void commit(std::uint64_t number) {
    if (prepared != number || number == 0) {
      return logger.log(kChildFrame, "commit of generation {}, but {} is prepared", number,
                        prepared);
    }
    callbacks.commit(number);
    generation = number;
    prepared = preparing = 0;
    send({FrameType::committed, number, {}, {}});
  }

  void on_signal(int number) {
    if (number != SIGTERM && number != SIGINT) return on_harmless_signal(number);
    stop(fmt::format("signal {} arrived", number), stop_signals);
  }

  // Consumers of keepalived also send them to the process whose pid file they know. The watchdog
  // has the files written.
  void on_harmless_signal(int number) {
    if (asks_for_dump(number))
      return send({FrameType::dump, static_cast<std::uint64_t>(number), {}, {}});
    if (const auto before = reported_signals.admit(std::to_string(number), now()))
      logger.log(kSignalIgnored, "{}: the parent takes reloads, holdfastctl answers questions",
                 describe_signal(number));
  }

  // Counted by the way it came: a service manager may signal every process of a service while the
  // watchdog sends its frame, or while it dies.
  void stop(std::string why, int& requests) {
    ++requests;
    if (!std::exchange(stopping, true)) return callbacks.stop(std::move(why));
    if (requests == 2 && callbacks.hurry && !std::exchange(hurried, true)) callbacks.hurry();
  }

  Logger& logger;
  ChildCallbacks callbacks;
  Channel channel;
  std::uint64_t heartbeats = 0;
  std::uint64_t preparing = 0;
  std::uint64_t prepared = 0;
  std::uint64_t generation = 0;
  bool stopping = false;
  bool hurried = false;
  int stop_frames = 0;
  int stop_signals = 0;
  int ends_of_channel = 0;
  bool asked_by_watchdog = false;
  bool director_ends = false;
  RateLimiter reported_signals{kSignalReportInterval};
  PeriodicTimer heartbeat;
};

Child::Child(Loop& loop, Logger& logger, const ChildOptions& options, ChildCallbacks callbacks) {
  // Inherited descriptors must not reach the scripts this child will run.
  ::fcntl(options.channel_fd, F_SETFD, FD_CLOEXEC);
  state_ = std::make_shared<State>(loop, logger, options, std::move(callbacks));
  // The end of the watchdog is the end of its channel. No PDEATHSIG beside it: the kernel sends one
  // for each thread of the watchdog that outlives the others for a moment, and the second would be
  // taken for somebody's wish to hurry.
  std::vector<int> signals(harmless_signals().begin(), harmless_signals().end());
  signals.insert(signals.end(), {SIGTERM, SIGINT});
  const std::weak_ptr<State> weak = state_;
  loop.on_signals(signals, [weak](int number) {
    if (const auto self = weak.lock()) self->on_signal(number);
  });
  state_->channel.start(
      [weak](Frame frame) {
        if (const auto self = weak.lock()) self->on_frame(std::move(frame));
      },
      [weak](const std::string& why) {
        const auto self = weak.lock();
        if (!self) return;
        self->director_ends = true;
        self->stop("the watchdog is gone: " + why, self->ends_of_channel);
      });
  state_->send({FrameType::hello, static_cast<std::uint64_t>(::getpid()), {}, {}});
}

Child::~Child() = default;

std::uint64_t Child::generation() const {
  return state_->generation;
}

bool Child::is_followed() const {
  return !state_->director_ends;
}

bool Child::watchdog_asked_to_stop() const {
  return state_->asked_by_watchdog;
}

}  // namespace holdfast::runtime
