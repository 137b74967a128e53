// holdfastctl: reads the command line, calls one verb.
#include "ctl/check.hpp"
#include "ctl/commands.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <unistd.h>

namespace holdfast::ctl {
namespace {

/// no-color.org: any value of NO_COLOR switches colours off.
Colours colours_for_stdout() {
  return isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr ? Colours::yes
                                                                          : Colours::no;
}

int run(int argc, const char* const* argv) {
  CLI::App app{"Shows and steers the holdfast processes of this host.", "holdfastctl"};
  app.require_subcommand(0, 1);
  app.fallthrough();
  Target target;
  app.add_option("--run-dir", target.run_dir, "Directory of the control sockets")
      ->capture_default_str();

  bool json = false;
  CLI::App* status = app.add_subcommand("status", "What every process knows");
  status->add_flag("--json", json, "One JSON object instead of text");
  CLI::App* reload_verb = app.add_subcommand("reload", "Take the changed configuration into use");
  CLI::App* stop_verb = app.add_subcommand("stop", "Hand over and end every process");

  CheckRequest check_request;
  CLI::App* check_verb = app.add_subcommand("check", "Read a configuration, change nothing");
  check_verb->add_option("file", check_request.files, "The configuration")->required();
  check_verb->add_option("-i,--config-id", check_request.config_id,
                         "Name that @lines are chosen by");
  check_verb->add_flag("--json", json, "One JSON object instead of text");

  std::string id;
  CLI::App* explain_verb = app.add_subcommand("explain", "What a log message means");
  explain_verb->add_option("id", id, "Its id, such as netlink-overrun; without it all are listed");
  CLI::App* version = app.add_subcommand("version", "Version of this program");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kFailed;
  }
  const Format format = json ? Format::json : Format::text;
  if (status->parsed()) return show_status(target, format, colours_for_stdout());
  if (reload_verb->parsed()) return reload(target);
  if (stop_verb->parsed()) return stop(target);
  if (check_verb->parsed()) {
    check_request.format = format;
    return check(check_request);
  }
  if (explain_verb->parsed()) return explain_message(id);
  if (version->parsed()) {
    fmt::print("holdfastctl {}\n", HOLDFAST_VERSION);
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
