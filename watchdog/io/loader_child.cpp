// The side of the loader that reads files: the child process and -t.
#include "config/accounts.hpp"
#include "config/compare/diff.hpp"
#include "config/compare/removal.hpp"
#include "config/load.hpp"
#include "runtime/accounts.hpp"
#include "runtime/process.hpp"
#include "runtime/sealed_memfd.hpp"
#include "runtime/small_file.hpp"
#include "runtime/syscall_filter.hpp"
#include "watchdog/io/loader.hpp"
#include "watchdog/io/loader_reply.hpp"
#include "watchdog/io/wiring.hpp"

#include <algorithm>
#include <cap-ng.h>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <map>
#include <sys/prctl.h>
#include <tuple>
#include <unistd.h>

namespace holdfast::watchdog {

namespace {

constexpr int kReplyFd = 3;
constexpr int kSnapshotFd = 4;
constexpr int kRunningFd = 5;
/// Changes beyond this are counted, not listed: the answer to a reload is read by a person.
constexpr std::size_t kMaxListedChanges = 500;

/// Gives up everything but reading files: configurations with passwords belong to root, mode 0600.
/// Where a step is not possible (no such user, a user namespace without it) the others still count;
/// a failure never stops the load.
void keep_only_reading() {
  static_cast<void>(runtime::give_up_programs());
  if (::geteuid() != 0) return;
  auto account = runtime::local_account("holdfast");
  if (!account) account = runtime::local_account("nobody");
  capng_clear(CAPNG_SELECT_BOTH);
  capng_update(CAPNG_ADD, static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED),
               CAP_DAC_READ_SEARCH);
  if (account && capng_change_id(static_cast<int>(account->uid), static_cast<int>(account->gid),
                                 CAPNG_DROP_SUPP_GRP) == 0)
    return;
  capng_clear(CAPNG_SELECT_CAPS);
  capng_update(CAPNG_ADD, static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED),
               CAP_DAC_READ_SEARCH);
  std::ignore = capng_apply(CAPNG_SELECT_CAPS);
}

/// Missing, unreadable or not a file: a cause of its own for scripts, exit code 6.
bool can_be_read(const std::string& path) {
  const runtime::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return false;
  char byte = 0;
  return ::read(fd.get(), &byte, 1) >= 0 || errno == EAGAIN;
}

std::string list_of(const std::vector<config::Change>& changes) {
  std::string text;
  std::size_t listed = 0;
  for (const config::Change& change : changes) {
    const std::string line = config::describe(change) + "\n";
    if (listed == kMaxListedChanges || text.size() + line.size() + 64 > kMaxChangeBytes) {
      return text + fmt::format("and {} more\n", changes.size() - listed);
    }
    text += line;
    ++listed;
  }
  return text;
}

/// How often each mistake is there. By its sentence: a line that was added above it moves it.
std::map<std::string, int> mistakes_in(const config::Diagnostics& diagnostics) {
  std::map<std::string, int> counts;
  for (const config::Diagnostic& one : diagnostics.all())
    if (one.is_mistake_warning()) ++counts[one.message];
  return counts;
}

/// For reload_check_config: a sentence when there are mistakes that what runs does not have. What a
/// start has survived does not block every reload after it.
std::string refused_by_check(const config::Parsed& running, const config::Loaded& fresh) {
  if (!running.model.globals.reload_check_config && !fresh.model.globals.reload_check_config)
    return {};
  std::map<std::string, int> known = mistakes_in(running.diagnostics);
  int added = 0;
  for (const auto& [message, count] : mistakes_in(fresh.diagnostics))
    added += std::max(0, count - known[message]);
  if (added == 0) return {};
  return fmt::format(
      "'reload_check_config' refuses {} warning{} that the running configuration does not have: "
      "take it into use with `holdfastctl reload --force`",
      added, added == 1 ? "" : "s");
}

/// What becomes different from what runs. A former snapshot that this binary cannot read (it was
/// replaced by another version while it ran) costs the comparison, never the reload.
void compare_with_running(const config::Loaded& fresh, LoaderFinished& reply) {
  const auto bytes = runtime::read_sealed_memfd(kRunningFd);
  if (!bytes) return;
  const auto running = config::parse_snapshot_bytes(*bytes);
  if (!running) return;
  reply.changes = list_of(config::diff(running->model, fresh.model));
  reply.refused_unless_forced = config::beyond_limit(running->model, fresh.model);
  if (reply.refused_unless_forced.empty())
    reply.refused_unless_forced = refused_by_check(*running, fresh);
}

/// no-color.org: any value of NO_COLOR switches colours off.
config::Colour colour_for_stderr() {
  return ::isatty(STDERR_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr ? config::Colour::always
                                                                            : config::Colour::never;
}

}  // namespace

int run_loader(std::span<const char* const> words) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (words.size() < 2 || words.size() > 3) return to_int(ExitCode::fatal);
  const std::string path = words[0];
  keep_only_reading();
  const auto filtered = runtime::filter_syscalls(runtime::FilterFor::files);

  config::Loaded loaded = config::load_files(path, {.config_id = words[1]});
  // Once, and here: a directory service that is slow or gone must not meet a process that has
  // deadlines.
  config::look_up_accounts(loaded, [](auto names) {
    return runtime::look_up_accounts(std::move(names), runtime::kAccountPatience);
  });
  std::string remarks = config::render_text(loaded.diagnostics);
  if (!filtered) remarks += filtered.error().message + "\n";
  LoaderReply whole{.finished = {.usable = !loaded.diagnostics.has_errors(),
                                 .roles = roles_of(loaded.model),
                                 .diagnostics = std::move(remarks),
                                 .exit_code = ExitCode::ok},
                    .directives = directives_of(loaded.model.globals)};
  LoaderFinished& reply = whole.finished;
  if (!reply.usable) {
    reply.exit_code = can_be_read(path) ? ExitCode::bad_config : ExitCode::no_config_file;
  } else {
    if (words.size() == 3) compare_with_running(loaded, reply);
    const auto bytes = config::to_bytes(loaded.snapshot);
    const std::string_view view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (!runtime::write_all(kSnapshotFd, view, "the snapshot")) return to_int(ExitCode::fatal);
  }
  return runtime::write_all(kReplyFd, encode_reply(whole), "the reply") ? to_int(ExitCode::ok)
                                                                        : to_int(ExitCode::fatal);
}

int test_config(const LoadRequest& request, const std::string& log_file) {
  const config::Loaded loaded =
      config::load_files(request.config_file, {.config_id = request.config_id});
  std::string text = config::render_text(
      loaded.diagnostics, log_file.empty() ? colour_for_stderr() : config::Colour::never);
  text += fmt::format("{}: {}\n", request.config_file, loaded.diagnostics.summary());
  if (log_file.empty()) {
    if (!runtime::write_all(STDERR_FILENO, text, "the findings")) return to_int(ExitCode::fatal);
  } else {
    const runtime::UniqueFd fd(
        ::open(log_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!fd || !runtime::write_all(fd.get(), text, log_file)) {
      std::fputs(
          (core::fail_errno(errno, "holdfast: cannot write {}", log_file).message + "\n").c_str(),
          stderr);
      return to_int(ExitCode::no_permission);
    }
  }
  if (loaded.diagnostics.has_errors() && !can_be_read(request.config_file))
    return to_int(ExitCode::no_config_file);
  // keepalived: whatever it reports of the configuration makes the test fail.
  return to_int(loaded.diagnostics.is_sound() ? ExitCode::ok : ExitCode::test_failed);
}

}  // namespace holdfast::watchdog
