// Who runs scripts, as numbers. Only the loader looks accounts up, because a directory service may
// be slow or gone by the time a child reads the snapshot: children find the numbers in it.
#pragma once

#include "config/report.hpp"
#include "core/result.hpp"
#include "core/script.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::config {

struct Loaded;

/// keepalived: runs scripts where this account exists and nothing else is said.
inline constexpr std::string_view kDefaultScriptUser = "keepalived_script";

/// Whom a script of this configuration names: itself, else script_user, else kDefaultScriptUser.
[[nodiscard]] core::AccountName account_name(const Script& script, const Globals& globals);

/// A notification pipe as a script that does nothing: the same account owns it.
[[nodiscard]] Script owner_of(const NotifyFifo& pipe);

/// Every account that a script of the model runs as, or that owns a pipe, each once.
[[nodiscard]] std::vector<core::AccountName> accounts_named_in(const Model& model);

/// The account that runs a script; root where nobody is named and kDefaultScriptUser does not
/// exist. Its `problem` says why it cannot be used, and then the script must not run.
[[nodiscard]] Account account_of(const Script& script, const Model& model);

/// A script as it is run, without what the caller calls it.
[[nodiscard]] core::Command command_of(const Script& script, const Model& model);

/// The numbers of accounts by their names, in the same order; an error without an errno: there is
/// no such.
using AccountLookUp =
    std::function<std::vector<core::Result<core::ScriptUser>>(std::vector<core::AccountName>)>;

/// Looks every account up that the model names, and adds what was found or why it was not. Whoever
/// cannot be found costs his own scripts only. Nothing with errors in the configuration.
void look_up_accounts(Loaded& loaded, const AccountLookUp& look_up);

/// Puts what was looked up into the snapshot and the model, with a warning for every script that
/// will not run because of it.
void add_accounts(Loaded& loaded, std::vector<Account> accounts);

/// The warnings alone: parse_snapshot gives the same ones as the loader.
void report_accounts(const Model& model, Reporter& reporter);

/// Every script of the model that has a user of its own or may take script_user.
void for_each_script(const Model& model, const std::function<void(const Script&)>& visit);

}  // namespace holdfast::config
