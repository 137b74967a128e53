// holdfastctl: reads the command line, calls one verb.
#include "config/default_file.hpp"
#include "ctl/check.hpp"
#include "ctl/client.hpp"
#include "ctl/commands.hpp"
#include "ctl/convert.hpp"
#include "ctl/doctor.hpp"
#include "ctl/events.hpp"
#include "ctl/genhash.hpp"
#include "ctl/ipvs.hpp"
#include "ctl/ipvsadm.hpp"
#include "ctl/metrics_server.hpp"
#include "ctl/plan.hpp"
#include "ctl/steering_verbs.hpp"
#include "ctl/support_bundle.hpp"
#include "ctl/what_if.hpp"
#include "runtime/completion.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <unistd.h>
#include <vector>

namespace holdfast::ctl {
namespace {

/// no-color.org: any value of NO_COLOR switches colours off.
Colours colours_for_stdout() {
  return isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr ? Colours::yes
                                                                          : Colours::no;
}

struct ReloadWords {
  bool force = false;
  bool confirm = false;
  std::string within;
};

void add_reload(CLI::App& verb, ReloadWords& words) {
  verb.add_flag("--force", words.force, "Also what reload_limit or reload_check_config refuses");
  CLI::Option* within =
      verb.add_option("--confirm-within", words.within,
                      "Go back after this time (60s, 5m) unless `holdfastctl confirm` comes");
  verb.add_flag("--confirm", words.confirm, "The same as `holdfastctl confirm`")->excludes(within);
}

int run_reload(const Target& target, const ReloadWords& words) {
  if (words.confirm) return confirm(target);
  ReloadRequest request{.force = words.force, .confirm_within = {}};
  if (!words.within.empty()) {
    request.confirm_within = parse_duration(words.within);
    if (!request.confirm_within) {
      complain(
          fmt::format("--confirm-within takes a time such as 60s or 5m, not '{}'", words.within));
      return kFailed;
    }
  }
  return reload(target, request);
}

void add_config_id(CLI::App& verb, std::string& name) {
  verb.add_option("-i,--config-id", name, "Name that @lines are chosen by")->type_name("NAME");
}

CLI::App& add_convert(CLI::App& app, ConvertRequest& request) {
  CLI::App& verb = *app.add_subcommand("convert", "A configuration in the other syntax");
  verb.add_option("file", request.file, "The configuration")->type_name("FILE")->required();
  verb.add_option("--to", request.to, "toml or keepalived; without it the other one")
      ->check(CLI::IsMember({"toml", "keepalived"}));
  verb.add_option("-o,--output", request.out,
                  "Write to this new file instead of standard output, as readable as the source")
      ->type_name("FILE");
  verb.add_flag("--force", request.force, "Overwrite the file of -o when it is there already");
  add_config_id(verb, request.config_id);
  return verb;
}

struct RecordWords {
  std::string file;
  std::uint64_t mebibytes = 100;
  CLI::App* start = nullptr;
};

CLI::App& add_record(CLI::App& app, RecordWords& words) {
  CLI::App& verb = *app.add_subcommand("record", "Write down what the VRRP process is told");
  verb.require_subcommand(1);
  words.start = verb.add_subcommand("start", "From now on, into a new file");
  words.start->add_option("file", words.file, "holdfast --replay reads it")
      ->type_name("FILE")
      ->required();
  words.start->add_option("--limit", words.mebibytes, "Stop at this size, in MiB")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 20))
      ->capture_default_str();
  verb.add_subcommand("stop", "Until now");
  return verb;
}

CLI::App& add_doctor(CLI::App& app, DoctorRequest& request, bool& json) {
  constexpr std::uint32_t kLongest = 3600;
  CLI::App& verb = *app.add_subcommand("doctor", "Listens, and says what is wrong");
  verb.require_subcommand(1);
  CLI::App& vrrp = *verb.add_subcommand("vrrp", "Who speaks what on each interface, and the cures");
  vrrp.add_option("file", request.file,
                  "A configuration to compare with; without it that of the running director")
      ->type_name("FILE");
  vrrp.add_option("--interface", request.interfaces, "Only there; without it everywhere")
      ->type_name("NAME")
      ->allow_extra_args(false);
  vrrp.add_option("--seconds", request.seconds, "How long to listen")
      ->check(CLI::Range(std::uint32_t{1}, kLongest))
      ->capture_default_str();
  add_config_id(vrrp, request.config_id);
  vrrp.add_flag("--json", json, "One JSON object instead of text");
  return vrrp;
}

CLI::App& add_ipvs(CLI::App& app, bool& save, bool& restore, std::string& diff, bool& json) {
  CLI::App& verb = *app.add_subcommand(
      "ipvs", "The kernel's table of services; also ipvsadm's -A -E -D -a -e -d -C -L");
  CLI::Option* print = verb.add_flag("-S,--save", save, "Print it, as `ipvsadm -S -n` does");
  verb.add_flag("-R,--restore", restore, "Read it from standard input; what is not mentioned stays")
      ->excludes(print);
  verb.add_option("--diff", diff, "What it has otherwise than this file of rules")
      ->type_name("FILE")
      ->excludes(print);
  verb.add_flag("--json", json, "One JSON object instead of text");
  verb.require_option(1, 2);
  return verb;
}

/// Other programs' languages, by their names; ipvsadm's also behind `ipvs`, as its options are not
/// those of this program.
std::optional<int> run_other_words(int argc, const char* const* argv) {
  const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  if (argc > 0) {
    if (const auto done = run_by_name(argv[0], words)) return done;
    if (const auto done = run_genhash_by_name(argv[0], words)) return done;
  }
  if (words.size() < 2 || words.front() != "ipvs") return std::nullopt;
  return run_ipvsadm(std::span(words).subspan(1));
}

CLI::App& add_metrics(CLI::App& app, MetricsRequest& request, std::string& format) {
  CLI::App& verb = *app.add_subcommand("metrics", "The status as numbers for Prometheus");
  verb.add_option("--listen", request.listen,
                  "Serve /metrics, /health and /ready by HTTP on this address: 127.0.0.1:9650, "
                  "[::1]:9650 or a path; without it they are printed once")
      ->type_name("ADDRESS");
  verb.add_option("--format", format, "Of what is printed: openmetrics or prometheus (0.0.4)")
      ->check(CLI::IsMember({"openmetrics", "prometheus"}))
      ->capture_default_str();
  return verb;
}

CLI::App& add_events(CLI::App& app, EventsRequest& request, bool& json) {
  CLI::App& verb = *app.add_subcommand("events", "What the processes said lately");
  verb.add_flag("--follow", request.follow, "And what they say from now on");
  verb.add_option("--id", request.id, "Only events whose id begins so: vrrp-state")
      ->type_name("ID");
  verb.add_flag("--json", json, "One JSON object a line instead of text");
  return verb;
}

int run(int argc, const char* const* argv) {
  if (const auto done = run_other_words(argc, argv)) return *done;
  CLI::App app{"Shows and steers the holdfast processes of this host.", "holdfastctl"};
  app.require_subcommand(0, 1);
  app.fallthrough();
  Target target;
  app.add_option("--run-dir", target.run_dir, "Directory of the control sockets")
      ->type_name("DIR")
      ->capture_default_str();

  bool json = false;
  CLI::App* status = app.add_subcommand("status", "What every process knows");
  status->add_flag("--json", json, "One JSON object instead of text");
  CLI::App* reload_verb = app.add_subcommand("reload", "Take the changed configuration into use");
  ReloadWords reload_words;
  add_reload(*reload_verb, reload_words);
  CLI::App* confirm_verb = app.add_subcommand("confirm", "Keep the configuration on trial");
  CLI::App* revert_verb = app.add_subcommand("revert", "Give up the configuration on trial");
  PlanRequest plan_request;
  CLI::App* plan_verb = app.add_subcommand("plan", "What a reload would change");
  plan_verb
      ->add_option("file", plan_request.files,
                   "The new configuration; without it the file of the running director")
      ->type_name("FILE")
      ->expected(0, 2);
  plan_verb->add_flag("--offline", plan_request.is_offline,
                      "Only the differences of two files; asks no process");
  add_config_id(*plan_verb, plan_request.config_id);
  plan_verb->add_flag("--json", json, "One JSON object instead of text");
  WhatIfRequest what_if_request;
  CLI::App* what_if_verb = app.add_subcommand("what-if", "What would follow if something happened");
  what_if_verb
      ->add_option("words", what_if_request.words,
                   "eth1 down|up, server 192.0.2.10:80 down|up, priority VI_1 80, or peer "
                   "192.0.2.2 silent")
      ->required()
      ->expected(2, 3);
  what_if_verb->add_flag("--json", json, "One JSON object instead of text");
  CLI::App* stop_verb = app.add_subcommand("stop", "Hand over and end every process");

  CheckRequest check_request;
  CLI::App* check_verb = app.add_subcommand("check", "Read a configuration, change nothing");
  check_verb
      ->add_option(
          "file", check_request.files,
          "The configuration, or those of all directors of a pair; without it the default one")
      ->type_name("FILE");
  check_verb
      ->add_option("-i,--config-id", check_request.config_ids,
                   "Name that @lines are chosen by: one for all files, or one for each")
      ->type_name("NAME")
      ->allow_extra_args(false);
  check_verb->add_flag("--online", check_request.online,
                       "Look also at this host: interfaces, addresses, IPVS, scripts");
  check_verb->add_flag("--strict", check_request.strict, "Fail on warnings, too");
  check_verb->add_flag("--json", json, "One JSON object instead of text");

  ConvertRequest convert_request;
  const CLI::App& convert_verb = add_convert(app, convert_request);

  std::string id;
  CLI::App* explain_verb =
      app.add_subcommand("explain",
                         "Why an instance or a sync group is in its state, or what a log "
                         "message means");
  explain_verb->add_option(
      "word", id,
      "Name of an instance, or eth0/51, or of a sync group, or the id of a message; without it all "
      "messages are listed");
  explain_verb->add_flag("--json", json, "One JSON object instead of text");
  RecordWords record_words;
  const CLI::App& record_verb = add_record(app, record_words);
  bool save = false;
  bool restore = false;
  DoctorRequest doctor_request;
  const CLI::App& doctor_verb = add_doctor(app, doctor_request, json);
  std::string diff;
  const CLI::App& ipvs_verb = add_ipvs(app, save, restore, diff, json);
  RealServerVerbs real_server_verbs;
  const CLI::App& real_server_verb = add_real_server(app, real_server_verbs, json);
  MetricsRequest metrics_request;
  std::string metrics_format = "openmetrics";
  OrderRequest order_request;
  std::string server;
  add_orders(app, order_request, json, server);
  const CLI::App& metrics_verb = add_metrics(app, metrics_request, metrics_format);
  EventsRequest events_request;
  const CLI::App& events_verb = add_events(app, events_request, json);
  GenhashWords genhash_words;
  CLI::App* genhash_verb = app.add_subcommand("genhash", "The digest of a page, for HTTP_GET");
  add_genhash_words(*genhash_verb, genhash_words);
  std::string archive;
  const CLI::App* bundle_verb =
      app.add_subcommand("support-bundle", "All that a helper needs to know, in one archive");
  app.get_subcommand("support-bundle")
      ->add_option("-o,--output", archive, "Write this new file")
      ->type_name("FILE");
  std::string shell;
  const CLI::App* completion =
      app.add_subcommand("completion", "A script that completes these words in a shell");
  app.get_subcommand("completion")
      ->add_option("shell", shell, "Which one")
      ->required()
      ->check(CLI::IsMember({"bash"}));
  CLI::App* version = app.add_subcommand("version", "Version of this program");
  const CLI::App* help = app.add_subcommand("help", "This list");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kFailed;
  }
  const Format format = json ? Format::json : Format::text;
  if (status->parsed()) return show_status(target, format, colours_for_stdout());
  if (reload_verb->parsed()) return run_reload(target, reload_words);
  if (confirm_verb->parsed()) return confirm(target);
  if (revert_verb->parsed()) return revert(target);
  if (plan_verb->parsed()) {
    plan_request.format = format;
    plan_request.colours = colours_for_stdout();
    return plan(target, plan_request);
  }
  if (what_if_verb->parsed()) {
    what_if_request.format = format;
    what_if_request.colours = colours_for_stdout();
    return what_if(target, what_if_request);
  }
  if (stop_verb->parsed()) return stop(target);
  if (check_verb->parsed()) {
    check_request.format = format;
    check_request.colours = colours_for_stdout();
    if (check_request.files.empty()) {
      const auto file = config::default_file();
      if (!file) {
        complain(config::no_default_file());
        return kFailed;
      }
      check_request.files.push_back(*file);
    }
    return check(target, check_request);
  }
  if (convert_verb.parsed()) return convert(convert_request);
  if (explain_verb->parsed()) return id.empty() ? explain_message(id) : explain(target, id, format);
  if (record_verb.parsed()) {
    return record_words.start->parsed()
               ? record_start(target, record_words.file, record_words.mebibytes)
               : record_stop(target);
  }
  if (doctor_verb.parsed()) {
    doctor_request.format = format;
    doctor_request.colours = colours_for_stdout();
    return doctor_vrrp(target, doctor_request);
  }
  if (ipvs_verb.parsed() && !diff.empty()) return diff_table(diff, format);
  if (ipvs_verb.parsed()) return restore ? restore_table(format) : save_table(format);
  if (real_server_verb.parsed()) return run_real_server(target, real_server_verbs, format);
  if (const auto code = run_orders(app, target, order_request, json, server)) return *code;
  if (metrics_verb.parsed()) {
    metrics_request.is_openmetrics = metrics_format == "openmetrics";
    return metrics(target, metrics_request);
  }
  if (events_verb.parsed()) {
    events_request.format = format;
    return events(target, events_request);
  }
  if (genhash_verb->parsed()) return run_genhash(genhash_words);
  if (bundle_verb->parsed()) return support_bundle(target, archive);
  if (completion->parsed()) {
    fmt::print("{}", runtime::bash_completion(app));
    return kDone;
  }
  if (version->parsed()) {
    fmt::print("holdfastctl {}\n", HOLDFAST_VERSION);
    return kDone;
  }
  if (help->parsed()) {
    say(app.get_formatter()->make_help(&app, app.get_name(), CLI::AppFormatMode::Normal));
    return kDone;
  }
  fmt::print(stderr, "{}", app.help());
  return kFailed;
}

}  // namespace
}  // namespace holdfast::ctl

int main(int argc, char** argv) {
  try {
    return holdfast::ctl::run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "holdfastctl: {}\n", error.what());
    return holdfast::ctl::kFailed;
  }
}
