#include "scripts/daemon.hpp"

#include "runtime/channel.hpp"
#include "runtime/lock_file.hpp"

#include "scripts/helper.hpp"
#include "scripts/messages.hpp"
#include <csignal>
#include <fcntl.h>

namespace holdfast::scripts {
namespace {

/// Its end is a matter of the channel: a signal to all processes of the service must not take the
/// scripts of the stop away. (main has seen to the harmless ones; scripts get the defaults back.)
void ignore_requests_to_stop() {
  for (const int number : {SIGTERM, SIGINT}) std::signal(number, SIG_IGN);
}

}  // namespace

int run_daemon(const runtime::ChildOptions& options) {
  ::fcntl(options.channel_fd, F_SETFD, FD_CLOEXEC);
  ignore_requests_to_stop();
  runtime::Logger logger("scripts", options.log);
  // The predecessor of a killed watchdog works off its last scripts: requests wait in the pipe.
  const auto alone = runtime::LockFile::acquire(options.run_dir + "/scripts.lock",
                                                Queue::kFarewell + 2 * Queue::kGrace);
  if (!alone) logger.log(kNotAlone, "{}", alone.error().message);
  runtime::Loop loop;
  Helper helper(loop.io(), logger, [&loop] { loop.stop(0); });
  runtime::Channel channel(loop.io(), runtime::UniqueFd(options.channel_fd));
  channel.start(
      [&](runtime::Frame frame) {
        if (frame.type == runtime::FrameType::scripts && frame.fd)
          helper.serve(frame.text, std::move(frame.fd));
      },
      [&](const std::string&) { helper.close_door(); });
  // From inside the loop: it shows that requests are taken.
  std::uint64_t heartbeats = 0;
  const runtime::PeriodicTimer heartbeat(loop.io(), options.heartbeat_interval, [&] {
    static_cast<void>(channel.send({runtime::FrameType::heartbeat, ++heartbeats, {}, {}}));
  });
  logger.log(kStarted, "ready");
  const int exit_code = loop.run();
  logger.log(kStopped, "left in order");
  return exit_code;
}

}  // namespace holdfast::scripts
