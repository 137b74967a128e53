// Accounts of this host, looked up by name. May wait for a directory service: for the loader and
// for tools, never for a process that has deadlines.
#pragma once

#include "core/result.hpp"
#include "core/script.hpp"

#include <string_view>

namespace holdfast::runtime {

/// Numbers and all groups of a user; `group`: another primary group, empty for the user's own.
/// Fails with a sentence that names what does not exist.
[[nodiscard]] core::Result<core::ScriptUser> look_up_account(std::string_view user,
                                                             std::string_view group);

}  // namespace holdfast::runtime
