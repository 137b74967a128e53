// The command line: keepalived's everyday options under their names, so that unit files and habits
// keep working.
#include "config/default_file.hpp"
#include "runtime/completion.hpp"
#include "watchdog/core/exit_status.hpp"
#include "watchdog/options.hpp"
#include "watchdog/version.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "legacy/banner.hpp"
#include <array>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <sys/syslog.h>

namespace holdfast::watchdog {

namespace {

/// Options of keepalived that start-up scripts use and that have no meaning here, with the reason.
struct Ignored {
  const char* names;
  const char* argument;  ///< nullptr: none
  const char* why;
};
constexpr std::array kIgnored{
    Ignored{"-X,--release-vips", nullptr,
            "addresses are always released when the director stops (see -V)"},
    Ignored{"-d,--dump-conf", nullptr,
            "holdfastctl status shows what is in use, holdfast -t what was read"},
    Ignored{"--flush-log-file", nullptr, "every line is written at once"},
    Ignored{"-B,--no_bfd", nullptr, "there is no BFD process"},
    Ignored{"-b,--bfd_pid", "FILE", "there is no BFD process"},
    Ignored{"--all", nullptr, "every process that the configuration needs is started"},
    Ignored{"-a,--address-monitoring", nullptr,
            "addresses are always monitored; use -D -D to see it"},
    Ignored{"-e,--all-config", nullptr, "a missing configuration file is always an error"},
    Ignored{"-x,--snmp", nullptr, "there is no SNMP agent"},
    Ignored{"-A,--snmp-agent-socket", "NAME", "there is no SNMP agent"},
    Ignored{"-M,--core-dump-pattern", "PATTERN", "the system's core pattern is left alone"},
};

constexpr std::string_view kRunDirectory = "/run/holdfast";
constexpr std::string_view kKeepalivedPid = "/run/keepalived.pid";

struct Words {
  std::string file;
  std::string config_id;
  std::string test;
  std::string facility;
  std::string pid;
  std::string vrrp_pid;
  std::string checkers_pid;
  std::string run_dir;
  std::string signal;
  std::string recording;
  std::string umask;
  std::string log_file;
  std::string log_format;
  std::string shell;
};

/// The background process has / as its directory: names must not depend on where it was started.
std::string absolute(const std::string& path) {
  std::error_code error;
  const auto result = std::filesystem::absolute(path, error);
  return error ? path : result.lexically_normal().string();
}

/// keepalived: -S takes 0-7, local0..local7, user, daemon.
std::optional<int> parse_facility(std::string word) {
  static const std::map<std::string, int> kNames{{"user", LOG_USER},     {"daemon", LOG_DAEMON},
                                                 {"local0", LOG_LOCAL0}, {"local1", LOG_LOCAL1},
                                                 {"local2", LOG_LOCAL2}, {"local3", LOG_LOCAL3},
                                                 {"local4", LOG_LOCAL4}, {"local5", LOG_LOCAL5},
                                                 {"local6", LOG_LOCAL6}, {"local7", LOG_LOCAL7}};
  if (word.size() == 1 && word[0] >= '0' && word[0] <= '7') word = "local" + word;
  const auto found = kNames.find(word);
  if (found == kNames.end()) return std::nullopt;
  return found->second;
}

std::optional<std::uint16_t> parse_mask(std::string_view digits) {
  std::uint16_t mask = 0;
  const char* const end = digits.data() + digits.size();
  const auto [behind, error] = std::from_chars(digits.data(), end, mask, 8);
  if (error != std::errc{} || behind != end || mask > 0777) return std::nullopt;
  return mask;
}

/// Scripts do `kill -s $(keepalived --signum=RELOAD) …`: the names are part of the interface.
std::optional<int> signal_number(std::string_view name) {
  if (name == "STOP") return SIGTERM;
  if (name == "RELOAD") return SIGHUP;
  if (name == "DATA") return SIGUSR1;
  if (name == "STATS") return SIGUSR2;
  if (name == "STATS_CLEAR") return SIGRTMAX - 1;
  if (name == "JSON") return SIGRTMIN + 2;
  return std::nullopt;
}

int complain(const std::string& sentence) {
  std::fputs(("holdfast: " + sentence + "\n").c_str(), stderr);
  return to_int(ExitCode::bad_config);
}

CommandLine done(int exit_code) {
  return {.options = std::nullopt, .exit_code = exit_code};
}

/// Under keepalived's name the files are where its consumers look. Several on one host have pid
/// files of their own, and each needs a directory of its own as well.
void use_keepalived_s_places(Words& words) {
  const bool has_own_pid_file = !words.pid.empty() && absolute(words.pid) != kKeepalivedPid &&
                                absolute(words.pid) != "/var/run/keepalived.pid";
  if (words.run_dir.empty() && has_own_pid_file) words.run_dir = words.pid + ".d";
  if (words.pid.empty()) words.pid = kKeepalivedPid;
  if (words.vrrp_pid.empty()) words.vrrp_pid = has_own_pid_file ? "" : "/run/vrrp.pid";
  if (words.checkers_pid.empty()) words.checkers_pid = has_own_pid_file ? "" : "/run/checkers.pid";
}

std::optional<CommandLine> fill_in(const Words& words, const CLI::App& app, Options& options) {
  if (!words.shell.empty()) {
    std::fputs(runtime::bash_completion(app).c_str(), stdout);
    return done(0);
  }
  if (!words.signal.empty()) {
    const auto number = signal_number(words.signal);
    if (!number)
      return done(complain(
          fmt::format("--signum knows STOP, RELOAD, DATA, STATS, STATS_CLEAR and JSON, not '{}'",
                      words.signal)));
    std::puts(std::to_string(*number).c_str());
    return done(0);
  }
  if (!words.recording.empty()) {
    options.mode = Options::Mode::replay;
    options.recording = words.recording;
    return std::nullopt;
  }
  if (!words.umask.empty()) {
    options.umask = parse_mask(words.umask);
    if (!options.umask)
      return done(
          complain(fmt::format("-u takes an octal number up to 0777, not '{}'", words.umask)));
  }
  if (!words.facility.empty()) {
    const auto facility = parse_facility(words.facility);
    if (!facility)
      return done(complain(
          fmt::format("-S takes a number from 0 to 7, local0 to local7, user or daemon, not '{}'",
                      words.facility)));
    options.log.syslog_facility = *facility;
  }
  const auto file = words.file.empty() ? config::default_file() : words.file;
  if (!file) {
    complain(config::no_default_file() + " with -f");
    return done(to_int(ExitCode::no_config_file));
  }
  options.config_file = absolute(*file);
  options.config_id = words.config_id;
  options.run_dir = absolute(words.run_dir);
  options.pid_file = absolute(words.pid.empty() ? words.run_dir + "/holdfast.pid" : words.pid);
  if (!words.vrrp_pid.empty()) options.vrrp_pid_file = absolute(words.vrrp_pid);
  if (!words.checkers_pid.empty()) options.checkers_pid_file = absolute(words.checkers_pid);
  if (app.count("--config-test") != 0) {
    options.mode = Options::Mode::test;
    options.test_log = words.test;
  }
  return std::nullopt;
}

}  // namespace

CommandLine parse_command_line(int argc, const char* const* argv) {
  CLI::App app{
      "Holdfast: VRRP addresses, health checks and the kernel's IPVS table, from keepalived.conf",
      "holdfast"};
  Words words;
  Options options;
  const bool as_keepalived = argc > 0 && legacy::is_keepalived(argv[0]);
  bool vrrp_only = false;
  bool checkers_only = false;
  bool no_respawn = false;
  bool no_syslog = false;
  std::string unused;

  app.set_help_flag("-h,--help", "Show this text");
  app.set_version_flag("-v,--version", fmt::format("holdfast {}", kVersion));
  app.add_option("-f,--use-file", words.file,
                 fmt::format("Configuration file (default: the first of {})",
                             fmt::join(config::kDefaultFiles, ", ")))
      ->type_name("FILE");
  app.add_option("-t,--config-test", words.test,
                 "Check the configuration and end; diagnostics go to stderr or to FILE")
      ->type_name("FILE")
      ->expected(0, 1);
  app.add_option("-i,--config-id", words.config_id,
                 "Name for configuration lines that start with @NAME");
  app.add_flag("-n,--dont-fork", options.foreground, "Stay in the foreground");
  app.add_flag("-l,--log-console", options.log.to_stderr, "Log to standard error");
  app.add_flag("-D,--log-detail", options.log.detail, "Log more; twice: everything");
  app.add_option("-S,--log-facility", words.facility,
                 "syslog facility: 0-7, local0-local7, user, daemon");
  app.add_option("-g,--log-file", words.log_file,
                 "Log also to FILE; the children to FILE with _vrrp, _healthcheckers, _scripts "
                 "before its last dot")
      ->type_name("FILE");
  app.add_option("--log-format", words.log_format,
                 "Of standard error and files: text, or one JSON object a line")
      ->check(CLI::IsMember({"text", "json"}));
  app.add_flag("-P,--vrrp", vrrp_only, "Start only the VRRP process");
  app.add_flag("-C,--check", checkers_only, "Start only the checkers process");
  app.add_flag("-V,--dont-release-vrrp", options.keep_addresses,
               "Leave the virtual addresses in place at the end");
  app.add_flag("-I,--dont-release-ipvs", options.keep_ipvs,
               "Leave the IPVS table in place at the end");
  app.add_flag("-R,--dont-respawn", no_respawn,
               "End when a child dies instead of starting it again");
  app.add_flag("-G,--no-syslog", no_syslog, "Do not log to syslog");
  app.add_option("-p,--pid", words.pid, "pid file of the parent")->type_name("FILE");
  app.add_option("-r,--vrrp_pid", words.vrrp_pid, "pid file of the VRRP process")
      ->type_name("FILE");
  app.add_option("-c,--checkers_pid", words.checkers_pid, "pid file of the checkers process")
      ->type_name("FILE");
  app.add_option("--run-dir", words.run_dir,
                 fmt::format("Directory of sockets and pid files (default: {})", kRunDirectory))
      ->type_name("DIR");
  app.add_option(
      "--signum", words.signal,
      "Print the number of the signal for STOP, RELOAD, DATA, STATS, STATS_CLEAR or JSON");
  app.add_option("--completion", words.shell,
                 "Print a script that completes these options in a shell")
      ->check(CLI::IsMember({"bash"}));
  app.add_option("--replay", words.recording,
                 "Run a recording of the VRRP process through the election and compare what it "
                 "decides: 0 the same, 1 not, 2 unreadable")
      ->type_name("FILE");
  app.add_option("-u,--umask", words.umask,
                 "umask of scripts and files, an octal number; it counts for more than the one of "
                 "the configuration")
      ->type_name("MASK");
  app.add_flag("-m,--core-dump", options.core_dump, "Allow core files");
  for (const Ignored& ignored : kIgnored) {
    const std::string help = fmt::format("Accepted, without effect: {}", ignored.why);
    if (ignored.argument == nullptr)
      app.add_flag(ignored.names, help);
    else
      app.add_option(ignored.names, unused, help)->type_name(ignored.argument);
  }

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForVersion& wish) {
    if (!as_keepalived) return done(app.exit(wish));
    std::fputs(legacy::banner(kVersion).c_str(), stderr);
    return done(0);
  } catch (const CLI::Success& success) {  // --help
    return done(app.exit(success));
  } catch (const CLI::ParseError& error) {
    return done(complain(fmt::format("{}\nholdfast --help shows every option.", error.what())));
  }
  if (vrrp_only && !checkers_only) options.roles = RoleSet::of(Role::vrrp);
  if (checkers_only && !vrrp_only) options.roles = RoleSet::of(Role::checkers);
  options.respawn = !no_respawn;
  options.log.to_syslog = !no_syslog;
  if (!words.log_file.empty()) options.log.file = absolute(words.log_file);
  if (words.log_format == "json") options.log.format = runtime::LogFormat::json;
  for (const Ignored& ignored : kIgnored) {
    const std::string_view names = ignored.names;
    const std::string name(names.substr(names.rfind(',') == names.npos ? 0 : names.rfind(',') + 1));
    if (app.count(name) != 0)
      options.remarks.push_back(
          fmt::format("option {} is accepted without effect: {}", name, ignored.why));
  }
  if (as_keepalived) use_keepalived_s_places(words);
  if (words.run_dir.empty()) words.run_dir = kRunDirectory;
  if (auto ended = fill_in(words, app, options)) return *ended;
  return {.options = std::move(options), .exit_code = 0};
}

}  // namespace holdfast::watchdog
