#include "config/accounts.hpp"

#include "config/load.hpp"
#include "config/secrets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace holdfast::config {
namespace {

template <class T>
void visit_notifications(const T& owner, const std::function<void(const Script&)>& visit) {
  for (const auto* one : {&owner.notify_master, &owner.notify_backup, &owner.notify_fault,
                          &owner.notify_stop, &owner.notify})
    if (*one) visit(**one);
}

void visit_service(const VirtualServer& service, const std::function<void(const Script&)>& visit) {
  for (const auto* one : {&service.quorum_up, &service.quorum_down})
    if (*one) visit(**one);
  for (const RealServer& server : service.real_servers) {
    for (const auto* one : {&server.notify_up, &server.notify_down})
      if (*one) visit(**one);
    for (const Check& check : server.checks)
      if (const auto* misc = std::get_if<MiscCheck>(&check)) visit(*misc->script);
  }
}

std::array<const NotifyFifo*, 3> pipes_of(const Globals& globals) {
  return {&globals.notify_fifo, &globals.vrrp_notify_fifo, &globals.lvs_notify_fifo};
}

}  // namespace

void for_each_script(const Model& model, const std::function<void(const Script&)>& visit) {
  for (const VrrpScript& one : model.scripts) visit(one.script);
  for (const VrrpInstance& one : model.instances) {
    visit_notifications(one, visit);
    for (const auto* more : {&one.notify_deleted, &one.notify_master_rx_lower_pri})
      if (*more) visit(**more);
  }
  for (const SyncGroup& one : model.sync_groups) visit_notifications(one, visit);
  for (const VirtualServer& one : model.services) visit_service(one, visit);
  for (const NotifyFifo* one : pipes_of(model.globals))
    if (one->script) visit(*one->script);
  for (const auto* one : {&model.globals.startup_script, &model.globals.shutdown_script})
    if (*one) visit(**one);
}

Script owner_of(const NotifyFifo& pipe) {
  Script owner;
  owner.user = pipe.user;
  owner.group = pipe.group;
  return owner;
}

core::AccountName account_name(const Script& script, const Globals& globals) {
  if (!script.user.empty()) return {script.user, script.group};
  if (!globals.script_user.empty()) return {globals.script_user, globals.script_group};
  return {std::string(kDefaultScriptUser), {}};
}

std::vector<core::AccountName> accounts_named_in(const Model& model) {
  std::set<core::AccountName> names;
  for_each_script(model,
                  [&](const Script& script) { names.insert(account_name(script, model.globals)); });
  for (const NotifyFifo* one : pipes_of(model.globals))
    if (!one->path.empty()) names.insert(account_name(owner_of(*one), model.globals));
  return {names.begin(), names.end()};
}

Account account_of(const Script& script, const Model& model) {
  const core::AccountName name = account_name(script, model.globals);
  const auto found = std::ranges::find_if(model.accounts, [&](const Account& one) {
    return one.user == name.user && one.group == name.group;
  });
  Account account{.user = name.user, .group = name.group};
  if (found != model.accounts.end()) account = *found;
  const bool named = !script.user.empty() || !model.globals.script_user.empty();
  if (found != model.accounts.end()) return account;
  // Only where the default account does not exist: one that cannot be looked up costs its scripts.
  if (!named) return {.user = "root", .groups = {0}};
  account.problem = model.accounts.empty()
                        ? "nobody has looked this account up"
                        : fmt::format("there is no user '{}' on this host", name.user);
  return account;
}

namespace {

// keepalived: `script "</path"` succeeds when the file can be opened.
std::vector<std::string> words_to_run(const Script& script) {
  if (script.argv.empty() || script.argv.front().size() < 2 || script.argv.front()[0] != '<')
    return script.argv;
  return {"test", "-r", script.argv.front().substr(1)};
}

}  // namespace

core::Command command_of(const Script& script, const Model& model) {
  Account account = account_of(script, model);
  if (!model.globals.set_supplementary_groups) account.groups = {account.gid};
  return {.argv = words_to_run(script),
          .user = {account.uid, account.gid, account.groups},
          .problem = account.problem,
          .security = model.globals.enable_script_security};
}

void report_accounts(const Model& model, Reporter& reporter) {
  std::set<std::string> said;
  for_each_script(model, [&](const Script& script) {
    const Account account = account_of(script, model);
    if (account.problem.empty() || !said.insert(account.problem).second) return;
    reporter.at(Severity::warning, script.location,
                fmt::format("{}: its scripts are not run", account.problem),
                "the account is looked up again by the next reload");
  });
}

void look_up_accounts(Loaded& loaded, const AccountLookUp& look_up) {
  if (loaded.diagnostics.has_errors()) return;
  const std::vector<core::AccountName> names = accounts_named_in(loaded.model);
  auto answers = look_up(names);
  std::vector<Account> accounts;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const core::AccountName& name = names[i];
    auto& found = answers[i];
    const bool is_default = name.user == kDefaultScriptUser && name.group.empty();
    if (!found && found.error().system_errno == 0 && is_default) continue;  // it need not exist
    Account& account = accounts.emplace_back();
    account.user = name.user;
    account.group = name.group;
    if (!found) {
      account.problem = found.error().message;
      continue;
    }
    account.uid = found->uid;
    account.gid = found->gid;
    account.groups = std::move(found->groups);
  }
  add_accounts(loaded, std::move(accounts));
}

void add_accounts(Loaded& loaded, std::vector<Account> accounts) {
  loaded.snapshot.accounts = accounts;
  loaded.model.accounts = std::move(accounts);
  Reporter reporter(loaded.snapshot, loaded.diagnostics);
  report_accounts(loaded.model, reporter);
  hide_secrets(loaded.snapshot.text, loaded.diagnostics);
  loaded.diagnostics.sort_by_place();
}

}  // namespace holdfast::config
