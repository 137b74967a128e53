#include "checkers/daemon.hpp"

#include "checkers/messages.hpp"
#include "checkers/process.hpp"
#include "runtime/child_files.hpp"
#include "runtime/messages.hpp"
#include "runtime/process.hpp"

#include <sys/resource.h>

namespace holdfast::checkers {

namespace {

/// Every probe under way needs a descriptor, and so do control clients, scripts and netlink.
void raise_descriptor_limit() {
  ::rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int run_daemon(const runtime::ChildOptions& options) {
  runtime::Logger logger("checkers", options.log);
  const runtime::ChildFiles files(logger, options);
  const auto kept = runtime::confine(runtime::Role::checkers, options.run_dir);
  if (!kept) logger.log_text(messages::kCannotStart, kept.error().message);
  if (kept && !kept->empty()) logger.log_text(runtime::kRunDirectory, *kept);
  raise_descriptor_limit();

  runtime::Loop loop;
  Process process(loop, logger, options);
  process.start();
  return loop.run();
}

}  // namespace holdfast::checkers
