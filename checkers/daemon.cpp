#include "checkers/daemon.hpp"

#include "checkers/messages.hpp"
#include "checkers/runner.hpp"
#include "runtime/child_files.hpp"
#include "runtime/messages.hpp"
#include "runtime/process.hpp"

#include <sys/resource.h>

namespace holdfast::checkers {

namespace {

/// Every probe under way needs a descriptor, and so do control clients, scripts and netlink.
/// Returns how many there are.
std::size_t raise_descriptor_limit() {
  ::rlimit limit{.rlim_cur = 1024, .rlim_max = 1024};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return limit.rlim_cur;
  const ::rlimit raised{.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
  return ::setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

}  // namespace

int run_daemon(const runtime::ChildOptions& options) {
  runtime::Logger logger("checkers", options.log);
  const runtime::ChildFiles files(logger, options);
  const auto kept = runtime::confine(runtime::Role::checkers, options.run_dir);
  if (!kept) logger.log_text(messages::kCannotStart, kept.error().message);
  if (kept && !kept->empty()) logger.log_text(runtime::kRunDirectory, *kept);
  const std::size_t descriptors = raise_descriptor_limit();

  runtime::Loop loop;
  Runner process(loop, logger, options, probe_limit(descriptors));
  process.start();
  return loop.run();
}

}  // namespace holdfast::checkers
