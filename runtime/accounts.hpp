// Accounts of this host, looked up by name. May wait for a directory service: for the loader and
// for tools, never for a process that has deadlines.
#pragma once

#include "core/result.hpp"
#include "core/script.hpp"
#include "core/time.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::runtime {

/// Numbers and all groups of a user; `group`: another primary group, empty for the user's own.
/// Fails with a sentence that names what does not exist. From any thread.
[[nodiscard]] core::Result<core::ScriptUser> look_up_account(std::string_view user,
                                                             std::string_view group);

using LookUp =
    std::function<core::Result<core::ScriptUser>(std::string_view user, std::string_view group)>;
/// So long a directory service has for all accounts of a configuration together.
inline constexpr core::Duration kAccountPatience = std::chrono::seconds(5);
/// Asked side by side: one that hangs does not keep the others away.
inline constexpr std::size_t kAccountThreads = 16;

/// The answers to all questions, in their order. What is not known after `patience` has failed with
/// ETIMEDOUT; the threads that still wait for it are left behind, so the process should end soon.
[[nodiscard]] std::vector<core::Result<core::ScriptUser>> look_up_accounts(
    std::vector<core::AccountName> questions, core::Duration patience,
    const LookUp& look_up = look_up_account);

/// An account of this host's own file, without asking any directory service. nullopt: not there.
[[nodiscard]] std::optional<core::ScriptUser> local_account(const std::string& user);

}  // namespace holdfast::runtime
