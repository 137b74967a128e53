#include "ctl/online_scripts.hpp"

#include "runtime/script_file.hpp"

#include <fmt/format.h>

#include <map>
#include <unordered_set>

namespace holdfast::ctl {
namespace {

using config::Severity;

struct Scripts {
  const config::Globals& globals;
  config::Reporter& reporter;
  std::map<core::AccountName, core::Result<core::ScriptUser>> accounts;
  std::unordered_set<std::string> said{};

  void warn(const config::Script& script, std::string message, std::string help = {}) {
    // One script used in many places is one mistake.
    if (said.insert(message).second)
      reporter.at(Severity::warning, script.location, std::move(message), std::move(help));
  }

  void check(const config::Script& script) {
    if (script.argv.empty() || script.argv[0].starts_with('<')) return;
    const core::AccountName name = config::account_name(script, globals);
    const core::Result<core::ScriptUser>& user = accounts.at(name);
    const bool named = !script.user.empty() || !globals.script_user.empty();
    const bool is_missing = !user && user.error().system_errno == 0;
    if (!user && (named || !is_missing))
      return warn(script, fmt::format("{}: its scripts are not run", user.error().message));
    const std::string path = runtime::find_program(script.argv[0]);
    if (path.empty())
      return warn(script, fmt::format("no program '{}' is found: it cannot be run", script.argv[0]),
                  "write its whole path");
    if (user)
      check_path(script, path, name.user, *user);
    else
      check_path(script, path, "root", {});
  }

  void check_path(const config::Script& script, const std::string& path, const std::string& name,
                  const core::ScriptUser& user) {
    switch (runtime::look_at_script(path, user)) {
      case runtime::ScriptFile::hidden:
        reporter.at(Severity::note, script.location,
                    fmt::format("{} cannot be looked at: no permission", path), "run this as root");
        return;
      case runtime::ScriptFile::unusable:
        return warn(script, fmt::format("the script {} cannot be run: {}", path,
                                        runtime::why_not_executable(path, user)));
      case runtime::ScriptFile::not_for_user:
        return warn(script, fmt::format("user {} may not execute {}", name, path),
                    fmt::format("chmod +x {}", path));
      case runtime::ScriptFile::usable:
        if (runtime::needs_safe_path(path, user)) check_safety(script, path);
        return;
    }
  }

  void check_safety(const config::Script& script, const std::string& path) {
    const std::string why = runtime::why_unsafe(path);
    if (why.empty()) return;
    warn(script,
         globals.enable_script_security
             ? fmt::format("{} is not run, because root would run what others can change: {}", path,
                           why)
             : fmt::format("root runs {}, which others can change: {}", path, why),
         globals.enable_script_security
             ? "let it and the way to it belong to root, or name another 'script_user'"
             : "name a 'script_user', or let it and the way to it belong to root and write "
               "'enable_script_security'");
  }
};

}  // namespace

void check_scripts(const config::Model& model, config::Reporter& reporter,
                   const config::AccountLookUp& look_up) {
  Scripts scripts{model.globals, reporter, {}};
  const std::vector<core::AccountName> names = config::accounts_named_in(model);
  auto answers = look_up(names);
  for (std::size_t i = 0; i < names.size(); ++i)
    scripts.accounts.emplace(names[i], std::move(answers[i]));
  config::for_each_script(model, [&](const config::Script& script) { scripts.check(script); });
}

}  // namespace holdfast::ctl
